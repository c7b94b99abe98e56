import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.estimates import Estimate, design_effect, mean, proportion, rate, ratio, with_student


def known(estimate: Estimate) -> tuple[float, float, float]:
    """Lower bound, value and upper bound of an estimate that has them."""
    assert estimate.low is not None
    assert estimate.value is not None
    assert estimate.high is not None
    return estimate.low, estimate.value, estimate.high


COUNTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30).map(
    lambda pairs: [(min(pair), max(pair)) for pair in pairs]
)


def test_the_standard_error_of_a_mean():
    assert mean(range(10)).standard_error == pytest.approx(0.957, abs=5e-4)  # notes of Miller 2024, equation 1


def test_the_standard_error_clustered_by_group():
    clustered = mean(range(20), [i % 4 for i in range(20)])
    assert clustered.standard_error is not None
    assert clustered.standard_error == pytest.approx(0.645, abs=5e-4)  # Miller 2024, equation 4, with G/(G-1)
    assert clustered.standard_error * (3 / 4) ** 0.5 == pytest.approx(0.559, abs=5e-4)  # and without


def test_clustering_agrees_with_statsmodels():
    random = np.random.default_rng(5)
    groups = random.integers(0, 12, 80)
    values = random.normal(size=80) + groups
    fitted = sm.OLS(values, np.ones(80)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    # statsmodels also corrects by (n - 1) / (n - 1) for one parameter, so the two are the same.
    assert mean(values, list(groups)).standard_error == pytest.approx(fitted.bse[0])


def test_nothing_over_nothing_is_undefined():
    for figure in (ratio, proportion, rate):
        estimate = figure([0, 0, 0], [0, 0, 0])
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None)


def test_groups_without_denominator_say_nothing():
    assert ratio([1, 0, 0, 2], [2, 0, 0, 2]) == ratio([1, 2], [2, 2])


def test_one_group_has_a_value_and_no_standard_error():
    estimate = ratio([3], [4])
    assert (estimate.value, estimate.standard_error) == (0.75, None)
    assert with_student(estimate).low is None


@given(COUNTS)
def test_a_proportion_lies_in_its_interval_and_in_0_to_1(pairs):
    successes, trials = zip(*pairs, strict=True)
    estimate = proportion(successes, trials)
    if estimate.value is not None:
        low, value, high = known(estimate)
        assert 0 <= low <= value <= high <= 1
        assert low < high


@given(COUNTS)
def test_a_rate_lies_in_its_interval_and_never_below_none(pairs):
    events, units = zip(*pairs, strict=True)
    low, value, high = known(rate(events, [unit + 1 for unit in units]))
    assert 0 <= low <= value <= high
    assert low < high


def test_a_rate_of_no_events_has_the_rule_of_three_for_a_bound():
    _, _, high = known(rate(np.zeros(1000), np.ones(1000), level=0.9))  # one-sided 95 %
    assert high * 1000 == pytest.approx(stats.norm.ppf(0.95) ** 2, rel=0.01)  # the score bound; exact is 3.0


def test_alike_outcomes_in_a_group_widen_the_interval():
    apart = proportion([1, 0] * 30, [1] * 60)
    together = proportion([3, 0] * 10, [3] * 20)  # the same 30 of 60, three by three
    assert together.half_width is not None
    assert apart.half_width is not None
    assert together.half_width > apart.half_width * 1.5
    assert design_effect(0.5, 60, together.standard_error) == pytest.approx(3 * 20 / 19)


@pytest.mark.parametrize("correlation", [0, 0.1, 0.3])
def test_intervals_cover(correlation):
    """The short form of the simulation in `make bench`."""
    random, truth, hits, runs = np.random.default_rng(11), 0.7, 0, 400
    shape = (1 - correlation) / correlation if correlation else None
    for _ in range(runs):
        each = random.beta(truth * shape, (1 - truth) * shape, 60) if shape else np.full(60, truth)
        low, _, high = known(proportion(random.binomial(6, each), np.full(60, 6)))
        hits += low <= truth <= high
    assert 0.92 <= hits / runs <= 0.98
