from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.quotations import quotations
from agent.sentences import sentences
from tests.effort import takes_less_than


@pytest.mark.parametrize(
    "parts",
    [
        ["One.", "Two!", "Three?", "Four"],
        ["Dr. Smith met Mr. J. R. Jones.", "They spoke."],
        ["It cost $3.5 million, i.e. a lot.", "Nobody paid."],
        ["“We won.”", "She left."],
        ["He said: “We won.", "We did.”", "She left."],
        ["The U.S. team won.", "It was late."],
        ["It ended at 5 p.m.", "They left."],
        ["It begins at 5 p.m. Tuesday in the U.S. Department of Labor.", "The doors open at four."],
        ["She joined Acme Inc. Chairman Lee left."],
        ["Wait… what?", "Yes."],
        ["See fig. 3 and p. 12.", "Done."],
        ["It happened in 2019.", "2020 was worse."],
        ["It is by J.R.R. Tolkien.", "He lived in Washington, D.C.", "Then not."],
        ["visit example.org today.", "Bye."],
    ],
)
def test_a_paragraph_is_cut_where_a_reader_would(parts: list[str]):
    paragraph = " ".join(parts)
    assert [paragraph[start:end] for start, end in sentences(paragraph)] == parts


def test_a_forgotten_space_still_ends_a_sentence():
    paragraph = "We found a solution.Try it with Vue.js or asp.net."
    assert [paragraph[start:end] for start, end in sentences(paragraph)] == [
        "We found a solution.",
        "Try it with Vue.js or asp.net.",
    ]


@pytest.mark.parametrize("piece", [".", ". ", "A. ", ".'", '."', ".\n ", "a.", "“"])
def test_time_grows_with_length_and_no_faster(piece: str):
    paragraph = piece * (200_000 // len(piece))
    assert takes_less_than(3, lambda: [*sentences(paragraph), *quotations(paragraph)])


@given(st.text("aB. !?”“'\n5é", max_size=80))
def test_sentences_cover_every_word_in_order(paragraph: str):
    spans = list(sentences(paragraph))
    assert "".join("".join(paragraph[start:end].split()) for start, end in spans) == "".join(paragraph.split())
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


@pytest.mark.parametrize(
    ("paragraph", "found"),
    [
        ("“One,” she said, “two.”", ["“One,”", "“two.”"]),
        ('It is "so" and 5" long.', ['"so"']),
        ("Don't, it's 'quoted'.", []),
        ("«Oui», „ja“.", ["«Oui»", "„ja“"]),
        ("“It goes on", ["“It goes on"]),
    ],
)
def test_quotations(paragraph: str, found: list[str]):
    assert [paragraph[start:end] for start, end in quotations(paragraph)] == found
