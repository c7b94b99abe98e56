import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from agent.intervals import wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 12), (3, 12), (12, 12), (55, 60)])
def test_wilson_agrees_with_statsmodels(successes: int, trials: int):
    expected = proportion_confint(successes, trials, alpha=0.05, method="wilson")
    assert wilson(successes / trials, trials, stats.norm.ppf(0.975)) == pytest.approx(expected)
