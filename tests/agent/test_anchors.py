import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from agent.anchors import ENDS_RATIO, FUZZY_CUTOFF, AnchorMethod, Anchors, fold
from tests.agent.build import article

TEXT = (
    "The council’s plan — approved on Monday — will cost £4 million, according to Dana Reyes, who chairs it.",
    "“We did not expect this,” she said. The naïve   reading is that nobody asked the café owners.",
    "Nobody asked the council. The council did not answer.",
)


@pytest.mark.parametrize(
    ("quote", "found", "method"),
    [
        ("approved on Monday", "approved on Monday", AnchorMethod.EXACT),
        ("The council's plan - approved", "The council’s plan — approved", AnchorMethod.FOLDED),
        ('"we did not expect this,"', "“We did not expect this,”", AnchorMethod.FOLDED),
        ("The naive reading is", "The naïve   reading is", AnchorMethod.FOLDED),
        ("the cafe\u0301 owners", "the café owners", AnchorMethod.FOLDED),
        (
            "will cost … who chairs it",
            "will cost £4 million, according to Dana Reyes, who chairs it",
            AnchorMethod.ENDS,
        ),
        (
            "will cost £4 million, says Dana Reyes, who chairs it",
            "will cost £4 million, according to Dana Reyes, who chairs it",
            AnchorMethod.ENDS,
        ),
        ("nobody askd the cafe ownrs", "nobody asked the café owners", AnchorMethod.FUZZY),
    ],
)
def test_quotes_are_found_however_they_were_copied(quote: str, found: str, method: AnchorMethod):
    text = article(*TEXT)
    anchor = Anchors(text).find(quote)
    assert anchor is not None
    assert (text.text[anchor.start : anchor.end], anchor.method) == (found, method)


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("The … end", "The report shows spending rose."),
        ("He was … convicted", f"He was here. {'It rains. ' * 200}They were convicted."),
    ],
)
def test_ends_are_whole_words_near_each_other(quote: str, text: str):
    assert Anchors(article(text)).find(quote) is None


@pytest.mark.parametrize("quote", ["", "   ", "…", "The mayor resigned over the affair", "ounci", "Monday. “We"])
def test_what_is_not_there_is_not_found(quote: str):
    assert Anchors(article(*TEXT)).find(quote) is None


def test_equal_quotes_get_different_places_the_named_paragraph_first():
    anchors = Anchors(article(*TEXT))
    found = [anchors.find("council", paragraph=2) for _ in range(4)]
    text = article(*TEXT)
    assert [text.paragraph_at(anchor.start).index if anchor else None for anchor in found] == [2, 2, 0, None]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.text(max_size=40), st.integers(-2, 5))
def test_a_span_is_what_its_method_claims(paragraphs: list[str], quote: str, hint: int):
    text = article("start", *paragraphs)
    anchor = Anchors(text).find(quote, paragraph=hint)
    if anchor is None:
        return
    words = text.text[anchor.start : anchor.end]
    assert text.paragraph_at(anchor.start) == text.paragraph_at(anchor.end - 1)
    match anchor.method:
        case AnchorMethod.EXACT:
            assert words == quote.strip()
        case AnchorMethod.FOLDED:
            assert fold(words) == fold(quote)
        case AnchorMethod.FUZZY:
            assert fuzz.ratio(fold(words), fold(quote)) >= FUZZY_CUTOFF - 5
        case AnchorMethod.ENDS:
            assert fold(words)


@given(st.data())
def test_any_whole_words_of_an_article_are_found_exactly(data: st.DataObject):
    text = article(*TEXT)
    words = text.paragraphs[data.draw(st.integers(0, 2))].text.split()
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    quote = " ".join(words[first : last + 1])
    anchor = Anchors(text).find(quote)
    assert anchor is not None
    assert fold(text.text[anchor.start : anchor.end]) == fold(quote)


def test_typos_are_found_and_inventions_are_not():
    rng = random.Random(5)
    vocabulary = [
        f"{a}{b}{c}" for a in ("bel", "dor", "kim", "ran", "sot") for b in "aeiou" for c in ("n", "st", "rk", "ld")
    ]
    paragraphs = [" ".join(rng.choices(vocabulary, k=60)) for _ in range(10)]
    text = article(*paragraphs)
    typos = inventions = 0
    for _ in range(100):
        words = rng.choice(paragraphs).split()
        at = rng.randrange(len(words) - 10)
        quote = " ".join(words[at : at + 10])
        spot = rng.randrange(3, len(quote) - 3)
        typos += Anchors(text).find(quote[:spot] + quote[spot + 1 :]) is not None
        inventions += Anchors(text).find(" ".join(rng.choices(vocabulary, k=10))) is not None
    assert typos >= 95
    assert inventions == 0
    assert ENDS_RATIO < FUZZY_CUTOFF
