"""From offsets in a text to lines and columns of its source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.source_map import Location, Segment, SourceMap

SOURCE = "# One\n\nTwo **bold** words\n"
TEXT = "One\n\nTwo bold words"
MARKDOWN = SourceMap.of(SOURCE, [Segment(0, 2, 3), Segment(5, 7, 4), Segment(9, 13, 4), Segment(13, 19, 6)])


@pytest.mark.parametrize(("word", "location"), [("One", (1, 3)), ("Two", (3, 1)), ("bold", (3, 7)), ("words", (3, 14))])
def test_a_word_stands_where_the_source_has_it(word: str, location: tuple[int, int]):
    assert MARKDOWN.locate(TEXT.index(word)) == Location(*location)


def test_the_gap_between_paragraphs_belongs_to_the_end_of_the_one_before():
    assert [MARKDOWN.locate(offset) for offset in (3, 4)] == [Location(1, 6)] * 2


def test_the_end_of_the_text_is_the_end_of_its_last_word():
    assert MARKDOWN.locate(len(TEXT)) == Location(3, 19)


def test_a_column_counts_an_emoji_once():
    assert SourceMap.of("🚀 up", [Segment(0, 0, 4)]).locate(2) == Location(1, 3)


def test_without_lines_of_its_own_paragraph_n_is_line_n():
    paragraphs = SourceMap.of_paragraphs([3, 0, 5], gap=2)  # the second is empty and not in the text
    assert [paragraphs.locate(offset) for offset in (0, 2, 5, 9)] == [
        Location(1, 1),
        Location(1, 3),
        Location(3, 1),
        Location(3, 5),
    ]


def test_a_map_of_nothing_points_to_the_beginning():
    assert SourceMap((), (0,)).locate(7) == Location(1, 1)


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.just("\n"), min_size=1))
def test_a_text_that_is_its_source_maps_to_itself(source: str):
    whole = SourceMap.of(source, [Segment(0, 0, len(source))])
    lines = source.split("\n")
    for offset, character in enumerate(source):
        place = whole.locate(offset)
        assert (lines[place.line - 1] + "\n")[place.column - 1] == character


@given(st.lists(st.integers(0, 20), max_size=12))
def test_each_character_of_a_paragraph_keeps_its_column(lengths: list[int]):
    paragraphs = SourceMap.of_paragraphs(lengths, gap=2)
    start = 0
    for line, length in enumerate(lengths, start=1):
        assert [paragraphs.locate(start + n) for n in range(length)] == [Location(line, n + 1) for n in range(length)]
        start += length + 2 if length else 0
