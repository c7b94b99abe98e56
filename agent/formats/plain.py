"""Plain text.

Where the text has blank lines, these separate its paragraphs and a single line end is a soft wrap,
one space. Where it has none, each line is a paragraph. A line that begins with a bullet or a number
("- ", "* ", "• ", "1. ") is an item of a list; the marker is left out.
"""

import re
from collections.abc import Iterator

from agent.article import Article, ParagraphKind
from agent.errors import ContentTooLarge
from agent.formats.encoding import with_one_line_end
from agent.formats.passage import Passage, assemble

MAX_SOURCE_CHARACTERS = 500_000
_MARKER = re.compile(r"[ \t]*(?:[-*•‣◦]|\d{1,3}[.)])[ \t]+(?=\S)")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def read_plain(source: str, *, title: str = "", language: str = "") -> Article:
    """Raises EmptyArticle and ContentTooLarge."""
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise ContentTooLarge(
            f"the text has {len(source):,} characters, over the limit of {MAX_SOURCE_CHARACTERS:,}: check it in parts"
        )
    source = with_one_line_end(source)
    return assemble(source, _passages(source), title=title, language=language)


def _passages(source: str) -> Iterator[Passage]:
    soft_wraps = bool(_BLANK_LINE.search(source.strip()))
    passage = Passage()
    start = 0
    for line in source.split("\n"):
        marker = _MARKER.match(line)
        if marker or not line.strip() or not soft_wraps:
            yield passage
            passage = Passage(ParagraphKind.LIST_ITEM if marker else ParagraphKind.TEXT)
        else:
            passage.space(start - 1)
        text = line[marker.end() :] if marker else line
        indent = len(text) - len(text.lstrip())
        passage.add(text.strip(), start + len(line) - len(text) + indent)
        start += len(line) + 1
    yield passage
