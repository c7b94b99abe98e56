"""Where each character of an article's text stands in the file it came from."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file; both numbers count from 1, columns in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of characters that stand in the text as they stand in the source."""

    text_start: int
    source_start: int
    length: int


@dataclass(frozen=True)
class SourceMap:
    """Maps offsets of an article's text to lines and columns of its source.

    `segments` are in text order and don't overlap. Characters between segments (the blank lines
    between paragraphs) belong to the end of the segment before them. `line_starts` are the offsets
    of the source's lines.
    """

    segments: tuple[Segment, ...]
    line_starts: tuple[int, ...]

    @classmethod
    def of(cls, source: str, segments: Iterable[Segment]) -> "SourceMap":
        lengths = (len(line) + 1 for line in source.split("\n")[:-1])
        return cls(tuple(segments), tuple(accumulate(lengths, initial=0)))

    @classmethod
    def of_paragraphs(cls, lengths: Iterable[int], gap: int) -> "SourceMap":
        """A source without lines of its own (.docx, a list of paragraphs): paragraph n is line n."""
        segments, starts, text_start, source_start = [], [], 0, 0
        for length in lengths:
            starts.append(source_start)
            if length:
                segments.append(Segment(text_start, source_start, length))
                text_start += length + gap
            source_start += length + 1
        return cls(tuple(segments), tuple(starts or [0]))

    @cached_property
    def _text_starts(self) -> list[int]:
        return [segment.text_start for segment in self.segments]

    def source_offset(self, offset: int) -> int:
        if not self.segments:
            return 0
        segment = self.segments[max(0, bisect_right(self._text_starts, offset) - 1)]
        return segment.source_start + max(0, min(offset - segment.text_start, segment.length))

    def locate(self, offset: int) -> Location:
        """Line and column of a text offset in the source."""
        source = self.source_offset(offset)
        line = bisect_right(self.line_starts, source)
        return Location(line, source - self.line_starts[line - 1] + 1)
