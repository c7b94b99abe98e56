"""An article: one canonical text with paragraphs, the same for every channel it may come from."""

import hashlib
import json
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from agent.errors import ContentTooLarge, EmptyArticle
from agent.source_map import Location, SourceMap

MAX_CHARACTERS = 200_000
UNKNOWN_LANGUAGE = "und"  # BCP 47: undetermined
PARAGRAPH_GAP = "\n\n"
PLACEHOLDER = "\ufffc"  # object replacement character: stands where a document has something that is no text

# Inside a paragraph each of these is one space, so offsets in a paragraph hold in its source too
# (Word counts a soft line break and a tab as one character).
_BREAKS = dict.fromkeys(map(ord, "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"), " ")
# PostgreSQL stores no NUL, UTF-8 has no lone surrogates: each becomes a replacement character.
_UNSTORABLE = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd")
_CLEANED = _BREAKS | _UNSTORABLE


class ParagraphKind(StrEnum):
    """What a paragraph is in its document; scopes of rules choose by it."""

    HEADING = "heading"
    TEXT = "text"
    LIST_ITEM = "list"
    QUOTE = "quote"
    TABLE_CELL = "table"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of an article's text."""

    index: int  # position in the article, from 0
    start: int  # offset of its first character in the article's text, in code points
    text: str  # never empty, no line breaks
    kind: ParagraphKind = ParagraphKind.TEXT
    level: int = 0  # 1-6 for a heading, else 0
    origin: int = 0  # index of the paragraph in the document it was read from, counting empty ones

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what follows it up to the next; the text before the first heading has none."""

    heading: Paragraph | None
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph as a reader found it, before the article is put together."""

    text: str
    kind: ParagraphKind = ParagraphKind.TEXT
    level: int = 0


@dataclass(frozen=True)
class Article:
    """An article ready to be checked. `text[p.start:p.end] == p.text` for every paragraph."""

    text: str  # paragraphs joined by a blank line
    paragraphs: tuple[Paragraph, ...]
    title: str = ""
    language: str = ""  # BCP 47; empty: to be detected
    source_map: SourceMap = field(default_factory=lambda: SourceMap((), (0,)), repr=False, compare=False)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over title, language and the paragraphs with their kinds."""
        facts = [self.title, self.language, [(p.kind, p.level, p.text) for p in self.paragraphs]]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    @cached_property
    def words(self) -> int:
        return len(self.text.split())

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        sections: list[Section] = []
        heading: Paragraph | None = None
        body: list[Paragraph] = []
        for paragraph in self.paragraphs:
            if paragraph.kind is ParagraphKind.HEADING:
                if heading or body:
                    sections.append(Section(heading, tuple(body)))
                heading, body = paragraph, []
            else:
                body.append(paragraph)
        if heading or body:
            sections.append(Section(heading, tuple(body)))
        return tuple(sections)

    @cached_property
    def _starts(self) -> list[int]:
        return [paragraph.start for paragraph in self.paragraphs]

    def paragraph_at(self, offset: int) -> Paragraph:
        """The paragraph an offset falls in; a gap belongs to the paragraph before it."""
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"offset must be in 0..{len(self.text)}, got {offset}")
        return self.paragraphs[max(0, bisect_right(self._starts, offset) - 1)]

    def locate(self, offset: int) -> Location:
        """Line and column in the file the article was read from."""
        return self.source_map.locate(offset)


def clean(text: str) -> str:
    """A paragraph's text with each line break or tab as one space; its length doesn't change.

    What no store takes (NUL, lone surrogates) is U+FFFD in it.
    """
    # None of them is printable, and to find that out costs a tenth of translating.
    return text if text.isprintable() else text.translate(_CLEANED)


def build_article(
    blocks: Iterable[Block],
    *,
    title: str = "",
    language: str = "",
    source_map: SourceMap | None = None,
) -> Article:
    """Puts an article together from its paragraphs; those of white space only are left out.

    Without a `source_map` paragraph n of the input is line n of the source.
    Raises EmptyArticle when no paragraph is left and ContentTooLarge over MAX_CHARACTERS.
    """
    paragraphs: list[Paragraph] = []
    lengths: list[int] = []
    position = 0
    for origin, block in enumerate(blocks):
        text = clean(block.text)
        if not text.strip():
            lengths.append(0)
            continue
        lengths.append(len(text))
        paragraphs.append(Paragraph(len(paragraphs), position, text, block.kind, block.level, origin))
        position += len(text) + len(PARAGRAPH_GAP)
    if not paragraphs:
        raise EmptyArticle("the article has no text to check: send at least one sentence of prose")
    length = position - len(PARAGRAPH_GAP)
    if length > MAX_CHARACTERS:
        raise ContentTooLarge(
            f"the article has {length:,} characters, over the limit of {MAX_CHARACTERS:,}: check it in parts"
        )
    return Article(
        text=PARAGRAPH_GAP.join(paragraph.text for paragraph in paragraphs),
        paragraphs=tuple(paragraphs),
        title=unicodedata.normalize("NFC", " ".join(clean(title).split())),
        language=language,
        source_map=source_map or SourceMap.of_paragraphs(lengths, len(PARAGRAPH_GAP)),
    )
