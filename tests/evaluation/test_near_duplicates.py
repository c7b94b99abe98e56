import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.near_duplicates import Similar, closest_elsewhere, shingles, words_of
from tests.effort import takes_less_than

BRIDGE = "The mayor opened the bridge on Monday morning."


def test_words_have_no_punctuation_and_no_capitals():
    assert words_of("“Straße”, he said – TWICE.") == ("strasse", "he", "said", "twice")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two three four five six.", {"one two three four five", "two three four five six"}),
        ("One two, three four five", {"one two three four five"}),
        ("Too short", {"too short"}),
        ("…", set()),
    ],
)
def test_shingles_are_runs_of_five_words(text: str, expected: set[str]):
    assert shingles(text) == expected


def test_the_closest_is_of_another_split_with_its_jaccard_similarity():
    closest = closest_elsewhere([BRIDGE, BRIDGE, BRIDGE + " It rained.", "Bread."], ["dev", "dev", "test", "test"])
    # 4 runs and 6, of which 4 are the same
    assert closest == [Similar(2, 4 / 6), Similar(2, 4 / 6), Similar(0, 4 / 6), None]


def test_a_copy_is_wholly_similar_whatever_its_punctuation():
    assert closest_elsewhere([BRIDGE, BRIDGE.upper().replace(".", "!")], ["a", "b"]) == [
        Similar(1, 1.0),
        Similar(0, 1.0),
    ]


@pytest.mark.parametrize(("texts", "splits"), [([], []), ([BRIDGE, BRIDGE], ["dev", "dev"]), (["…", "–"], ["a", "b"])])
def test_nothing_is_shared_without_another_split_or_words(texts: list[str], splits: list[str]):
    assert closest_elsewhere(texts, splits) == [None] * len(texts)


@given(
    st.lists(st.tuples(st.lists(st.sampled_from("abc"), max_size=9).map(" ".join), st.sampled_from("xyz")), max_size=9)
)
def test_it_is_what_a_comparison_of_all_pairs_finds(articles: list[tuple[str, str]]):
    texts, splits = [text for text, _ in articles], [split for _, split in articles]
    sets = [shingles(text) for text in texts]
    for at, found in enumerate(closest_elsewhere(texts, splits)):
        pairs = [
            (len(sets[at] & s) / max(len(sets[at] | s), 1), i) for i, s in enumerate(sets) if splits[i] != splits[at]
        ]
        best = max((similarity for similarity, _ in pairs), default=0.0)
        first = next((Similar(i, similarity) for similarity, i in pairs if similarity == best > 0), None)
        assert found == first


def test_a_thousand_articles_are_compared_quickly_even_if_all_are_alike():
    rng = random.Random(1)
    base = [f"w{rng.randrange(8000)}" for _ in range(600)]
    texts = [" ".join((*base[:at], f"x{at}", *base[at:])) for at in (rng.randrange(600) for _ in range(1000))]
    splits = ["dev", "test"] * 500

    def find_all() -> None:
        assert all(found is not None and found.similarity > 0.9 for found in closest_elsewhere(texts, splits))

    assert takes_less_than(5, find_all)
