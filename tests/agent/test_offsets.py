import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offsets import Utf16Offsets


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_emoji_count_two():
    text = "a🙂b👩‍💻c"
    offsets = Utf16Offsets(text)
    assert [offsets.units(place) for place in range(len(text) + 1)] == [0, 1, 3, 4, 6, 7, 9, 10]
    assert [offsets.code_points(units) for units in (0, 1, 3, 4, 6, 7, 9, 10)] == list(range(8))


@given(st.text())
def test_every_offset_goes_there_and_back(text):
    offsets = Utf16Offsets(text)
    for place in range(len(text) + 1):
        units = offsets.units(place)
        assert (units, offsets.code_points(units)) == (utf16_length(text[:place]), place)


@given(st.text(alphabet=st.characters(min_codepoint=0x10000), min_size=1))
def test_the_inside_of_a_pair_is_no_offset(text):
    for place in range(len(text)):
        with pytest.raises(ValueError, match="inside a surrogate pair"):
            Utf16Offsets(text).code_points(2 * place + 1)


@pytest.mark.parametrize("offset", [-1, 3])
def test_an_offset_outside_the_text_is_refused(offset):
    with pytest.raises(ValueError, match=f"got {offset}"):
        Utf16Offsets("ab").units(offset)
    with pytest.raises(ValueError, match=f"got {offset}"):
        Utf16Offsets("ab").code_points(offset)
