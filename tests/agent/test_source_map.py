import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.source_map import Location, Segment, SourceMap

# text "one two\n\nthree" of the source "# one\ntwo\n\n> three"
SOURCE = "# one\ntwo\n\n> three"
MAP = SourceMap.of(SOURCE, [Segment(0, 2, 7), Segment(9, 13, 5)])


@pytest.mark.parametrize(
    ("offset", "place"),
    [(0, (1, 3)), (3, (1, 6)), (4, (2, 1)), (7, (2, 4)), (8, (2, 4)), (9, (4, 3)), (14, (4, 8)), (99, (4, 8))],
)
def test_each_offset_has_a_line_and_a_column(offset, place):
    assert MAP.locate(offset) == Location(*place)


def test_without_segments_everything_is_at_the_start():
    assert SourceMap((), (0,)).locate(5) == Location(1, 1)


@given(st.lists(st.integers(0, 5)))
def test_paragraphs_are_lines(lengths):
    source_map = SourceMap.of_paragraphs(lengths, gap=2)
    start = 0
    for number, length in enumerate(lengths, start=1):
        for column in range(length):
            assert source_map.locate(start + column) == Location(number, column + 1)
        start += length + 2 if length else 0
