"""Where the content of a Markdown block stands in the file, without the marks of the blocks around it."""

import re
from collections.abc import Sequence
from itertools import accumulate

from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

# White space that Markdown takes from the ends of a block.
_WHITE = "".join(c for c in MD_TRIM_CHARS if c != "\n")
_OPENING_MARKS = re.compile(rf"#+[{re.escape(_WHITE)}]*")


class MarkdownLines:
    """The lines of a source whose line ends are all one "\\n"."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._starts = list(accumulate((len(line) + 1 for line in self._lines), initial=0))
        self._row = -1
        self._cell = 0  # where in the row the next cell may begin

    def of_block(self, token: Token, *, closed: bool = False) -> list[int]:
        """The source offset of each character of the block's content; `closed` for a heading that begins with marks.

        Each line of the content is the end of its line in the source: only marks before it, tabs in
        the indent and white space after it differ.
        """
        offsets: list[int] = []
        number = self._first_line(token)
        for content in token.content.split("\n"):
            line = self._lines[number].rstrip(_WHITE) if number < len(self._lines) else ""
            first = len(line) - len(content.rstrip(_WHITE))
            if closed and (marks := _OPENING_MARKS.search(line)):
                first = marks.end()  # what is around a heading has no number sign
            start = self._starts[min(number, len(self._lines))]
            offsets += [start + max(0, first + place) for place in range(len(content) + 1)]
            number += 1
        return offsets

    def _first_line(self, token: Token) -> int:
        """Where the content begins: a line of other white space than Markdown's own is in the block, not in it."""
        first, end = token.map or (0, 0)
        contents = [line.strip() for line in token.content.split("\n")]
        while first + len(contents) < end and not all(
            line.rstrip().endswith(content)
            for line, content in zip(self._lines[first : first + len(contents)], contents, strict=True)
        ):
            first += 1
        return first

    def of_cell(self, token: Token) -> list[int]:
        """The same for a cell of a table, where "\\\\|" stands for "|"; cells must be asked for in order."""
        number = token.map[0] if token.map else 0
        if number != self._row:
            self._row, self._cell = number, 0
        line, start = self._lines[number], self._starts[number]
        pattern = re.compile(r"\\\|".join(map(re.escape, token.content.split("|"))))
        found = pattern.search(line, self._cell)
        if not found:
            return [start + self._cell] * (len(token.content) + 1)
        self._cell = found.end()
        offsets: list[int] = []
        place = found.start()
        for character in token.content:
            place += character == "|"  # its backslash
            offsets.append(start + place)
            place += 1
        return [*offsets, start + place]


def runs(offsets: Sequence[int]) -> list[tuple[int, int]]:
    """Start and end of each run of places that follow one another in the source."""
    if not offsets or offsets[-1] - offsets[0] == len(offsets) - 1:
        return [(0, len(offsets))]
    breaks = [place for place in range(1, len(offsets)) if offsets[place] != offsets[place - 1] + 1]
    return list(zip([0, *breaks], [*breaks, len(offsets)], strict=True))
