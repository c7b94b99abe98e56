"""Code points and UTF-16 code units, over any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offsets import Utf16Offsets

# Without lone surrogates, which no encoding takes; half of them beyond U+FFFF.
unicode_texts = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.characters(min_codepoint=0x10000)))


def test_an_emoji_counts_two_units():
    offsets = Utf16Offsets("Go 🚀 now")
    assert [offsets.units(place) for place in range(9)] == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def test_each_part_of_a_joined_emoji_counts():
    family = "👩‍👩‍👧!"  # three people, two joiners
    offsets = Utf16Offsets(family)
    assert (len(family), offsets.units(len(family)), offsets.code_points(8)) == (6, 9, 5)


@given(unicode_texts)
def test_the_length_is_that_of_utf_16(text: str):
    assert Utf16Offsets(text).units(len(text)) == len(text.encode("utf-16-le")) // 2


@given(unicode_texts)
def test_every_offset_survives_the_round_trip(text: str):
    offsets = Utf16Offsets(text)
    assert [offsets.code_points(offsets.units(place)) for place in range(len(text) + 1)] == [*range(len(text) + 1)]


@given(unicode_texts, st.data())
def test_a_slice_by_units_is_the_slice_by_code_points(text: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    offsets = Utf16Offsets(text)
    units = text.encode("utf-16-le")[2 * offsets.units(start) : 2 * offsets.units(end)]
    assert units.decode("utf-16-le") == text[start:end]


@pytest.mark.parametrize("place", [-1, 4])
def test_code_points_outside_the_text_are_refused(place: int):
    with pytest.raises(ValueError, match=rf"0\.\.3 code points, got {place}"):
        Utf16Offsets("a🚀b").units(place)


@pytest.mark.parametrize("place", [-1, 5])
def test_units_outside_the_text_are_refused(place: int):
    with pytest.raises(ValueError, match=rf"0\.\.4 UTF-16 units, got {place}"):
        Utf16Offsets("a🚀b").code_points(place)


def test_half_a_character_is_refused():
    with pytest.raises(ValueError, match="UTF-16 offset 2 falls inside a surrogate pair"):
        Utf16Offsets("a🚀b").code_points(2)
