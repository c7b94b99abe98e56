"""Markdown (CommonMark with tables and strikethrough), with the place of every character.

Left out: code (blocks, and inline code, for which one U+FFFC stands), images, the destinations of
links, HTML tags, comments, template tags of site generators, footnote marks, front matter (it gives
title and language only). Text between HTML tags is read as `html` reads it. Blocks nested deeper than
50 levels are not read.
"""

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from agent.article import Article, ParagraphKind
from agent.errors import ContentTooLarge
from agent.formats.encoding import with_one_line_end
from agent.formats.html import HtmlReader
from agent.formats.inline_positions import positioned_parser
from agent.formats.markdown_inline import add_inline
from agent.formats.markdown_lines import MarkdownLines
from agent.formats.passage import Passage, assemble, language_tag
from agent.formats.template_tags import mask

MAX_SOURCE_CHARACTERS = 500_000  # parsed in about 2 s, the most hostile in 12
MAX_NESTING = 50
_KINDS = {
    "blockquote": ParagraphKind.QUOTE,
    "list_item": ParagraphKind.LIST_ITEM,
    "td": ParagraphKind.TABLE_CELL,
    "th": ParagraphKind.TABLE_CELL,
    "heading": ParagraphKind.HEADING,
}


def read_markdown(source: str, *, title: str = "", language: str = "") -> Article:
    """Raises EmptyArticle and ContentTooLarge."""
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise ContentTooLarge(
            f"the Markdown source has {len(source):,} characters, over the limit of {MAX_SOURCE_CHARACTERS:,}: "
            "check it in parts"
        )
    source = with_one_line_end(source)
    masked = mask(source)
    reader = _Reader(masked.text)
    for token in _parser().parse(masked.text):
        reader.take(token)
    return assemble(
        source,
        (passage.without(masked.filler) for passage in reader.passages()),
        title=title,
        found_title=masked.metadata.title,
        language=language or language_tag(masked.metadata.language),
    )


@cache
def _parser() -> MarkdownIt:
    return positioned_parser(MAX_NESTING)


class _Reader:
    """Takes block tokens in order and turns them into passages."""

    def __init__(self, source: str) -> None:
        self._read: list[Passage] = []
        self._lines = MarkdownLines(source)
        self._page = HtmlReader(source)
        self._containers: list[Token] = []

    def take(self, token: Token) -> None:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if token.type == "inline":
            self._read.append(self._paragraph(token))
        elif token.type == "html_block":
            self._read += self._html(token)
        elif name in _KINDS and token.nesting == 1:
            self._containers.append(token)
        elif name in _KINDS and token.nesting == -1:
            self._containers.pop()

    def passages(self) -> list[Passage]:
        return [*self._read, *self._page.finish()]

    def _paragraph(self, token: Token) -> Passage:
        container = self._containers[-1] if self._containers else None
        kind = _KINDS[container.type.removesuffix("_open")] if container else ParagraphKind.TEXT
        heading = container if kind is ParagraphKind.HEADING else None
        if kind is ParagraphKind.TABLE_CELL:
            offsets = self._lines.of_cell(token)
        else:
            offsets = self._lines.of_block(token, closed=heading is not None and heading.markup.startswith("#"))
        if not self._page.readable:
            return Passage()
        if kind is ParagraphKind.TEXT and self._page.quoting:
            kind = ParagraphKind.QUOTE
        passage = Passage(kind, int(heading.tag[1]) if heading else 0)
        add_inline(passage, token, offsets)
        return passage

    def _html(self, token: Token) -> list[Passage]:
        """Elements stay open across the Markdown between them, but not in a list or a quotation."""
        offsets = self._lines.of_block(token)
        if not self._containers:
            return [*self._page.read(offsets[0], offsets[-1]), *self._page.finish()]
        part = HtmlReader(token.content)
        read = [*part.read(0, len(token.content)), *part.finish()]
        return [passage.moved(offsets) for passage in read]
