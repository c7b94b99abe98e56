import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answers import AnswerFinding
from agent.article import Article
from agent.check_cache import KeptFinding, KeptVerdict
from agent.finding import Finding
from agent.guideline import Guideline
from agent.readings import Reading
from agent.units import Units
from agent.verdicts import findings, verdicts
from tests.agent.build import article, prompt_guideline

ARTICLE = article("It rains. It pours & it <snows>.", "It rains.", "The end.")
ALL = Reading((0, 1, 2), (0, 1, 2))


def item(quote: str, paragraph: int = 1, explanation: str = "e", suggestion: str = "") -> AnswerFinding:
    return AnswerFinding(quote=quote, paragraph=paragraph, explanation=explanation, suggestion=suggestion)


def found(
    *items: AnswerFinding, text: Article = ARTICLE, guideline: Guideline | None = None, reading: Reading = ALL
) -> tuple[list[Finding], int]:
    """The findings that editors get, and how many quotes were nowhere."""
    guideline = guideline or prompt_guideline()
    given = verdicts(text, guideline, Units(text).of(guideline), reading, items)
    return list(findings(text, guideline, given)), sum(verdict.unanchored for verdict in given.values())


def spans(*items: AnswerFinding, **asked: object) -> list[tuple[int, int]]:
    return [(finding.start, finding.end) for finding in found(*items, **asked)[0]]  # type: ignore[arg-type]


def test_equal_quotes_get_different_places():
    assert spans(item("It rains"), item("It rains"), item("It rains")) == [(0, 8), (34, 42)]
    assert found(*[item("It rains")] * 3)[1] == 1


@pytest.mark.parametrize("quote", ["pours & it <snows>", "pours &amp; it &lt;snows&gt;"])
def test_a_quote_may_be_as_the_article_was_shown(quote: str):
    assert found(item(quote))[0][0].quote == "pours & it <snows>"


def test_an_invented_quote_is_counted_and_never_shown():
    assert found(item("words that nobody wrote", paragraph=99)) == ([], 1)


def test_a_finding_in_what_was_shown_for_context_only_is_left_out():
    assert found(item("The end", paragraph=3), reading=Reading((1,), (0, 1, 2))) == ([], 0)


def test_a_quote_is_looked_for_in_what_was_shown_only():
    assert found(item("The end", paragraph=3), reading=Reading((0,), (0, 1))) == ([], 1)


def test_a_finding_is_no_longer_than_its_scope():
    sentence, paragraph = prompt_guideline(scope="sentence"), prompt_guideline(scope="paragraph")
    answer = item("It rains. It pours & it <snows>.", suggestion="It rains and pours.")
    (short,), _ = found(answer, guideline=sentence)
    (long,), _ = found(answer, guideline=paragraph)
    assert (short.quote, short.suggestions) == ("It pours & it <snows>.", ())
    assert (long.quote, long.suggestions) == ("It rains. It pours & it <snows>.", ("It rains and pours.",))


@pytest.mark.parametrize(
    ("explanation", "suggestion", "message", "suggestions"),
    [
        (" Says\u202e who?\n Nobody. ", "  It\u200b  snows ", "Says who? Nobody.", ("It snows",)),
        ("", "It rains", "Attribute claims", ()),
        ("x" * 2000, "y" * 5000, "x" * 600, ()),
    ],
)
def test_a_models_words_are_bounded_and_hide_nothing(
    explanation: str, suggestion: str, message: str, suggestions: tuple[str, ...]
):
    (finding,), _ = found(item("It rains", explanation=explanation, suggestion=suggestion))
    assert (finding.message, finding.suggestions) == (message, suggestions)


def test_a_verdict_holds_wherever_its_paragraph_moves():
    guideline = prompt_guideline(context="paragraph")
    kept = KeptVerdict(findings=(KeptFinding(paragraph=0, start=3, end=8, explanation="e", suggestion=""),))
    for text in (article("A.", "It rains."), article("It rains.", "A.")):
        unit = next(u for u in Units(text).of(guideline) if text.paragraphs[u.asked[0]].text == "It rains.")
        assert [finding.quote for finding in findings(text, guideline, {unit: kept})] == ["rains"]


FUZZ = (
    lambda text: text.replace("'", "’").replace('"', "“"),
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.upper(),
    lambda text: text.replace("é", "e\u0301"),
    lambda text: text.replace("...", "…"),
    lambda text: text.replace("-", "—"),
    lambda text: text.replace("a", "a\u200b"),
    lambda text: f"{text[:4]} ... {text[-6:]}",
    lambda text: text.replace("e", "", 1),
    lambda text: f"“{text}”",
)
SENTENCES = "It's a café - closed... The “mayor” said 🎉 so. Naïve plans aren't made; they happen, she said twice."


@given(st.integers(0, 10_000), st.lists(st.sampled_from(FUZZ), max_size=3))
def test_whatever_a_model_does_to_a_quote_a_shown_finding_says_what_the_article_says(
    seed: int, changes: list[Callable[[str], str]]
):
    text = article(SENTENCES, SENTENCES[::-1], SENTENCES.replace("’", "'"))
    chance = random.Random(seed)
    start = chance.randrange(len(SENTENCES) - 12)
    quote = SENTENCES[start : start + chance.randint(5, 40)]
    for change in changes:
        quote = change(quote)
    shown, unanchored = found(item(quote, paragraph=chance.randint(0, 5)), text=text)
    assert len(shown) + unanchored == 1
    for finding in shown:
        assert text.text[finding.start : finding.end] == finding.quote != ""
