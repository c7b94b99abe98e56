import pytest

from agent.capitals import is_sentence_case, is_title_case
from agent.readability import flesch, syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("cat", 1),
        ("table", 2),
        ("made", 1),
        ("walked", 1),
        ("wanted", 2),
        ("idea", 2),
        ("the", 1),
        ("readability", 5),
        ("café", 2),
        ("hmm", 1),
    ],
)
def test_syllables(word: str, count: int):
    assert syllables(word) == count


def test_flesch_is_the_formula_of_1948():
    text = "The cat sat on the mat."
    assert flesch(text, 1) == pytest.approx(206.835 - 1.015 * 6 - 84.6 * 6 / 6)
    with pytest.raises(ValueError, match="got 0 and 1"):
        flesch("…", 1)


@pytest.mark.parametrize(
    ("heading", "right"),
    [
        ("How we built it", True),
        ("How We Built It", False),
        ("lower from the start", False),
        ("Five questions for NASA", True),
        ("This is a Heading", False),
        ("What the council said in London", True),
        ("3 things to know", True),
        ("", True),
    ],
)
def test_sentence_case(heading: str, right: bool):
    assert is_sentence_case(heading) is right


def test_sentence_case_begins_anew_after_an_indicator_and_knows_exceptions():
    assert is_sentence_case("Note: This is it", indicators=(":",))
    assert is_sentence_case("Run it on Linux", exceptions=("Linux",))


@pytest.mark.parametrize(
    ("title", "style", "right"),
    [
        ("The Old Man and the Sea", "AP", True),
        ("The old Man and the Sea", "AP", False),
        ("A Walk Through the Park", "AP", True),
        ("A Walk through the Park", "AP", False),
        ("A Walk through the Park", "Chicago", True),
        ("What It Is For", "AP", True),
        ("An iPhone and NASA", "AP", True),
    ],
)
def test_title_case(title: str, style: str, right: bool):
    assert is_title_case(title, style=style) is right
