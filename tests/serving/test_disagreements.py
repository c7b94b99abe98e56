"""What only one of two versions found, and the sentence it stands in."""

import pytest

from agent.article import Article
from serving.disagreements import Disagreement, Excerpt, FoundBy, disagreements, excerpt
from serving.shadow import Compared, Pair, Place
from tests.agent.build import article

TEXT = article("It rained. We utilise experts, who know. They left.", "Of course they did.")


def place(words: str, of: Article = TEXT) -> Place:
    start = of.text.index(words)
    return Place("f", start, start + len(words))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("utilise", "We utilise experts, who know."),
        ("It", "It rained."),
        ("who know. They", "We utilise experts, who know. They left."),
        ("left.\n\nOf course", "They left.\n\nOf course"),
        ("they did.", "Of course they did."),
    ],
)
def test_words_are_shown_in_their_sentence(words: str, sentence: str) -> None:
    found = excerpt(TEXT, place(words))
    assert (found.text, found.text[found.start : found.end]) == (sentence, words)


def test_a_heading_without_an_end_is_one_sentence() -> None:
    assert excerpt(article("We utilise"), Place("f", 3, 10)) == Excerpt("We utilise", 3, 10)


def test_the_last_article_comes_first_and_is_read_from_its_beginning() -> None:
    late, early, other = Place("late", 30, 31), Place("early", 10, 11), Place("other", 1, 2)
    pairs = [
        Pair("a", (Compared("g", 1, (other,)),)),
        Pair("b", (Compared("g", 0, (late,)), Compared("h", 0, (), (early,)), Compared("i", 3))),
    ]
    assert disagreements(pairs) == [
        Disagreement("b", "h", FoundBy.CHALLENGER, early),
        Disagreement("b", "g", FoundBy.CHAMPION, late),
        Disagreement("a", "g", FoundBy.CHAMPION, other),
    ]
