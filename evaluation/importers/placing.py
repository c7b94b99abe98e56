"""Where characters of an export's text stand in the article that is made of it."""

from bisect import bisect_left, bisect_right

from agent.article import Article
from agent.formats.reading import article_from_text
from agent.offsets import Utf16Offsets
from evaluation.importers.export import UNIT_NAMES, OffsetUnit, Part, Reason

BYTE_ORDER_MARK = "\ufeff"  # the tools count it; an article doesn't have it


class Misplaced(Exception):
    """A span that can't be carried over to the article."""

    def __init__(self, reason: Reason, said: str) -> None:
        self.reason = reason
        self.said = said
        super().__init__(said)


class SourceText:
    """An export's text as it stands there, and the article that is made of it.

    Raises EmptyArticle and ContentTooLarge.
    """

    def __init__(self, text: str, *, language: str = "", title: str = "") -> None:
        self.text = text
        self._left_out = [n for n, character in enumerate(text) if _is_left_out(text, n, character)]
        self._body_start = int(text.startswith(BYTE_ORDER_MARK))
        self.article: Article = article_from_text(text[self._body_start :], title=title, language=language)
        self._segments = sorted(self.article.source_map.segments, key=lambda segment: segment.source_start)
        self._starts = [segment.source_start for segment in self._segments]
        self._offsets = Utf16Offsets(text)

    def code_points(self, part: Part, unit: OffsetUnit) -> Part:
        """A part in code points of the export's text. Raises Misplaced."""
        length = self._offsets.length if unit is OffsetUnit.CODE_POINTS else self._offsets.units(len(self.text))
        shown = f"{part.start}..{part.end}"
        if part.start < 0 or part.end > length or part.start > length:
            raise Misplaced(Reason.OUTSIDE, f"{shown} leaves a text of {length:,} {UNIT_NAMES[unit]}")
        if part.end <= part.start:
            raise Misplaced(Reason.EMPTY, f"{shown} holds no character")
        if unit is OffsetUnit.CODE_POINTS:
            return part
        try:
            return Part(self._offsets.code_points(part.start), self._offsets.code_points(part.end))
        except ValueError as error:
            said = f"{error}: are these offsets code points? --offset-unit says so"
            raise Misplaced(Reason.SURROGATE, said) from error

    def placed(self, part: Part) -> Part:
        """The same words in the article's text, for a part in code points. Raises Misplaced.

        White space at the ends, and the marker of a list item, are not in them.
        """
        begin = max(part.start, self._body_start)
        words = self.text[begin : part.end]
        if not words.strip():
            raise Misplaced(Reason.EMPTY, f"{part.start}..{part.end} holds only white space")
        first = begin + len(words) - len(words.lstrip())
        last = begin + len(words.rstrip()) - 1
        start = self._at_or_after(self._source(first))
        end = self._at_or_before(self._source(last))
        if start is None or end is None or start > end:
            said = f"{words.strip()!r} at {part.start}..{part.end} is in the export's text, not in the article's"
            raise Misplaced(Reason.NOT_IN_TEXT, said)
        return Part(start, end + 1)

    def _source(self, offset: int) -> int:
        """The offset in the text that the article was read from."""
        return offset - bisect_left(self._left_out, offset)

    def _at_or_after(self, source: int) -> int | None:
        """The text offset of the first character of the article that stands there, or behind."""
        number = bisect_right(self._starts, source) - 1
        if number >= 0 and (into := source - self._starts[number]) < self._segments[number].length:
            return self._segments[number].text_start + into
        after = number + 1
        return self._segments[after].text_start if after < len(self._segments) else None

    def _at_or_before(self, source: int) -> int | None:
        """The text offset of the last character of the article that stands there, or before."""
        number = bisect_right(self._starts, source) - 1
        if number < 0:
            return None
        segment = self._segments[number]
        return segment.text_start + min(source - segment.source_start, segment.length - 1)


def _is_left_out(text: str, position: int, character: str) -> bool:
    """A byte order mark at the start; the first half of a line end that has two."""
    if character == "\r":
        return text[position + 1 : position + 2] == "\n"
    return position == 0 and character == BYTE_ORDER_MARK
