import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.finding import Finding, Severity
from agent.score import AMBER_FROM, BREACH_CAP, GREEN_FROM, Band, band, score
from tests.agent.build import finding

findings = st.lists(st.builds(finding, st.sampled_from("abcdef"), st.sampled_from(Severity)), max_size=60)
words = st.integers(min_value=1, max_value=20_000)


@given(findings, st.builds(finding, st.sampled_from("abcdefg"), st.sampled_from(Severity)), words)
def test_another_finding_never_raises_the_score(found: list[Finding], another: Finding, words: int):
    before, after = (score(some, words=words, checked=20) for some in (found, [*found, another]))
    assert after.value <= before.value
    assert after.average <= before.average
    assert after.minimum <= before.minimum


@given(findings, words)
def test_what_is_taken_off_is_the_sum_of_the_contributions(found: list[Finding], words: int):
    result = score(found, words=words, checked=20)
    tenths = sum(round(part.points * 10) for part in result.contributions)
    assert round(result.value * 10) == 1000 - tenths
    assert 0 <= result.value <= 100
    assert all(part.points >= 0 for part in result.contributions)


@given(findings, words, st.booleans())
def test_a_breach_is_never_green(found: list[Finding], words: int, complete: bool):
    result = score([*found, finding("z", Severity.BREACH)], words=words, checked=20)
    assert result.value <= BREACH_CAP < GREEN_FROM
    assert band(result.value, complete=complete) is not Band.GREEN


@given(findings, st.integers(min_value=250, max_value=5000), st.integers(min_value=2, max_value=5))
def test_the_same_text_several_times_over_scores_the_same(found: list[Finding], words: int, times: int):
    once = score(found, words=words, checked=20)
    assert score(found * times, words=words * times, checked=20).value == pytest.approx(once.value, abs=0.1)


def test_nothing_found_is_a_hundred():
    result = score([], words=300, checked=12)
    assert (result.value, result.average, result.minimum, result.contributions) == (100.0, 100.0, 100.0, ())


def test_average_and_minimum_are_over_the_guidelines_checked():
    result = score([finding("a", Severity.WARNING)] * 4, words=1000, checked=4)
    assert [(part.guideline, part.findings) for part in result.contributions] == [("a", 4)]
    assert result.minimum == result.value == pytest.approx(81.9, abs=0.1)
    assert result.average == pytest.approx((300 + result.minimum) / 4, abs=0.1)


@pytest.mark.parametrize(
    ("value", "complete", "expected"),
    [
        (100.0, True, Band.GREEN),
        (GREEN_FROM, True, Band.GREEN),
        (100.0, False, Band.AMBER),
        (79.9, True, Band.AMBER),
        (AMBER_FROM, True, Band.AMBER),
        (59.9, True, Band.RED),
    ],
)
def test_bands(value: float, complete: bool, expected: Band):
    assert band(value, complete=complete) is expected
