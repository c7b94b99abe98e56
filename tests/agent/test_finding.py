import pytest

from agent.finding import Finding, Method, Severity, fingerprint, make_finding
from tests.agent.build import article


def on(text: str, quote: str, guideline: str = "g") -> str:
    whole = article(*text.split("|"))
    start = whole.text.index(quote)
    return fingerprint(guideline, whole, start, start + len(quote))


def test_a_finding_quotes_the_article():
    text = article("First.", "We utilise it.")
    found = make_finding(
        text, 11, 18, guideline="g", severity=Severity.ADVICE, message="m", method=Method.PATTERN, suggestions=("use",)
    )
    assert found == Finding(
        guideline="g", severity=Severity.ADVICE, start=11, end=18, quote="utilise", paragraph=1, message="m",
        suggestions=("use",), method=Method.PATTERN, fingerprint=on("First.|We utilise it.", "utilise"),
    )  # fmt: skip


@pytest.mark.parametrize(("start", "end"), [(3, 3), (-1, 2), (4, 2), (0, 100)])
def test_a_finding_needs_words(start: int, end: int):
    with pytest.raises(ValueError, match=f"got {start}..{end}"):
        make_finding(
            article("Short."), start, end, guideline="g", severity=Severity.ADVICE, message="m", method=Method.MODEL
        )


@pytest.mark.parametrize("after", ["New first paragraph.|We utilise it.", "We Utilise it.|More."])
def test_a_fingerprint_survives_edits_elsewhere_and_of_case(after: str):
    quote = "utilise" if "utilise" in after else "Utilise"
    assert on(after, quote) == on("We utilise it.", "utilise")


@pytest.mark.parametrize("after", ["We utilise that.", "They utilise it."])
def test_a_fingerprint_changes_with_the_words_around(after: str):
    assert on(after, "utilise") != on("We utilise it.", "utilise")
    assert on("We utilise it.", "utilise", "h") != on("We utilise it.", "utilise", "g")
