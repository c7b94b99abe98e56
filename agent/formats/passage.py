"""Paragraphs on their way from a document's source into an article, with the place of every character."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from agent.article import PLACEHOLDER, Article, Block, ParagraphKind, build_article
from agent.source_map import Segment, SourceMap

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
LONGEST_TAG = 35  # characters: RFC 5646, 4.4.1


@dataclass(frozen=True, slots=True)
class _Run:
    """Characters that stand at `at` in the source, or (not verbatim) stand for what is there."""

    text: str
    at: int
    verbatim: bool


class Passage:
    """Collects one paragraph. White space at its ends, and doubled by what was left out, doesn't count."""

    def __init__(self, kind: ParagraphKind = ParagraphKind.TEXT, level: int = 0) -> None:
        self.kind = kind
        self.level = level
        self._runs: list[_Run] = []
        self._after_space = True
        self._left_out = False

    def add(self, text: str, at: int) -> None:
        """Characters as they stand in the source at offset `at`."""
        if self._after_space and (self._left_out or not self._runs):
            shortened = text.lstrip()
            at += len(text) - len(shortened)
            text = shortened
        elif self._left_out and self._runs[-1].text[-1].isalnum() and text[:1].isalnum():
            self.place(at)
        self._append(_Run(text, at, verbatim=True))

    def put(self, text: str, at: int) -> None:
        """Characters that stand for something else in the source, such as an entity."""
        self._append(_Run(text, at, verbatim=False))

    def space(self, at: int, *, verbatim: bool = True) -> None:
        """One space for any white space at `at`, unless there is one already; not `verbatim` for a tag."""
        if not self._after_space:
            self._append(_Run(" ", at, verbatim))

    def place(self, at: int) -> None:
        """Something that is no text, such as code: no pattern matches across it."""
        if not (self._runs and self._runs[-1].text == PLACEHOLDER):
            self.put(PLACEHOLDER, at)

    def leave_out(self) -> None:
        """Something that leaves nothing behind, such as an image; with it goes one of the spaces around it.

        Where it parts two words, a placeholder keeps them apart.
        """
        self._left_out = True

    def moved(self, offsets: Sequence[int]) -> "Passage":
        """The passage of a part of a source, whose character n stands at `offsets[n]` of the whole."""
        self._runs = [replace(run, at=offsets[run.at]) for run in self._runs]
        return self

    def without(self, filler: str) -> "Passage":
        """The passage with each run of the character `filler` left out."""
        if filler not in self.text():
            return self
        rest = Passage(self.kind, self.level)
        for run in self._runs:
            place = run.at
            if not run.verbatim:
                rest.put(run.text, place)
                continue
            for number, part in enumerate(re.split(f"({filler}+)", run.text)):
                if number % 2:
                    rest.leave_out()
                else:
                    rest.add(part, place)
                place += len(part)
        return rest

    def is_prose(self) -> bool:
        text = self.text()
        if PLACEHOLDER in text:
            return any(character.isalnum() for character in text)
        return bool(text.strip())

    def text(self) -> str:
        return "".join(run.text for run in self._runs)

    def block(self) -> Block:
        return Block(self.text().strip(), self.kind, self.level)

    def segments(self, text_start: int) -> Iterator[Segment]:
        """Where the block's characters stand, for a block that begins at `text_start` of the article."""
        text = self.text()
        first = len(text) - len(text.lstrip())
        last = len(text.rstrip())
        position = 0
        open_: Segment | None = None  # verbatim, and may go on
        for run in self._runs:
            begin, end = max(position, first), min(position + len(run.text), last)
            segment = Segment(text_start + begin - first, run.at + begin - position, end - begin)
            position += len(run.text)
            if begin >= end:
                continue
            if open_ and run.verbatim and open_.source_start + open_.length == segment.source_start:
                open_ = replace(open_, length=open_.length + segment.length)
                continue
            if open_:
                yield open_
            open_ = segment if run.verbatim else None
            if not run.verbatim:
                yield replace(segment, source_start=run.at, length=1)
        if open_:
            yield open_

    def _append(self, run: _Run) -> None:
        if run.text:
            self._runs.append(run)
            self._after_space = run.text[-1].isspace()
            self._left_out = False


def assemble(
    source: str, passages: Iterable[Passage], *, title: str = "", found_title: str = "", language: str = ""
) -> Article:
    """The article of these passages. `title` is what the caller gave, `found_title` what the document says.

    Without either the title is the first heading of level 1. Raises what `build_article` raises.
    """
    kept = [passage for passage in passages if passage.is_prose()]
    blocks = [passage.block() for passage in kept]
    article = build_article(
        blocks,
        title=title.strip() or found_title.strip() or first_heading(blocks),
        language=language,
    )
    segments = [segment for p in article.paragraphs for segment in kept[p.origin].segments(p.start)]
    return replace(article, source_map=SourceMap.of(source, segments))


def first_heading(blocks: Iterable[Block]) -> str:
    """The text of the first heading of level 1, or nothing."""
    return next((b.text for b in blocks if b.kind is ParagraphKind.HEADING and b.level == 1), "").replace(
        PLACEHOLDER, " "
    )


def language_tag(found: str) -> str:
    """A document's own language as a BCP 47 tag ("en_GB" is "en-GB"), or nothing where it isn't one."""
    tag = found.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) and len(tag) <= LONGEST_TAG else ""
