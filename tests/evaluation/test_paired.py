import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy import stats

from evaluation.comparison import mcnemar
from evaluation.paired import Measure, Paired, bounds_of, max_t, pool, score, score_bounds

Z = stats.norm.ppf(0.975)


def paired(
    gains: ArrayLike,
    losses: ArrayLike,
    exposure: ArrayLike | None = None,
    measure: Measure = Measure.PROPORTION,
    name: str = "a",
) -> Paired:
    gain, loss = np.asarray(gains, float), np.asarray(losses, float)
    units = np.ones(len(gain)) if exposure is None else np.asarray(exposure, float)
    return Paired(name, measure, units, gain, loss)


def test_the_bounds_are_tangos():
    # Airway hyper-responsiveness before and after stem cell transplantation, 21 patients (Bentur et al. 2009), as
    # worked out by Fagerland, Lydersen & Laake 2014, table: Tango's asymptotic score interval.
    low, high = score_bounds(Measure.PROPORTION, 1, 7, 21, Z)
    assert (float(low), float(high)) == pytest.approx((-0.517, -0.026), abs=5e-4)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 60), st.sampled_from(list(Measure)))
def test_the_score_at_a_bound_is_z(gains, losses, same, measure):
    units = float(gains + losses + same + 1)
    low, high = score_bounds(measure, gains, losses, units, Z)
    gain, loss, all_units = np.asarray(gains, float), np.asarray(losses, float), np.asarray(units)
    assert low < (gains - losses) / units < high
    if low > -0.999 and high < 0.999:
        assert score(measure, gain, loss, all_units, low) == pytest.approx(Z, abs=1e-4)
        assert score(measure, gain, loss, all_units, high) == pytest.approx(-Z, abs=1e-4)


@given(st.integers(0, 15), st.integers(0, 15), st.sampled_from(list(Measure)))
def test_bounds_turn_with_the_sides(gains, losses, measure):
    low, high = score_bounds(measure, gains, losses, 60, Z)
    turned_low, turned_high = score_bounds(measure, losses, gains, 60, Z)
    assert (float(turned_low), float(turned_high)) == pytest.approx((-float(high), -float(low)), abs=1e-9)


@pytest.mark.parametrize("measure", list(Measure))
def test_without_any_difference_the_bounds_still_have_a_width(measure):
    low, high = paired(np.zeros(60), np.zeros(60), measure=measure).bounds(1.645)
    assert high == pytest.approx(-low)
    assert 0.02 < high < 0.06


def test_alike_changes_in_a_group_count_as_fewer():
    apart = paired([0] * 60, [1, 0, 0, 0] * 15)
    together = paired([0] * 20, [3, 0, 0, 0] * 5, [3] * 20)  # the same 15 of 60, three by three
    assert apart.design_effect == pytest.approx(60 / 59)
    assert together.design_effect == pytest.approx(3 * 20 / 19)
    assert together.bounds(Z)[0] < apart.bounds(Z)[0]


def test_bounds_of_many_are_those_of_each():
    random = np.random.default_rng(3)
    pairs = [
        paired(random.binomial(1, 0.1, 40), random.binomial(1, 0.1, 40), measure=measure)
        for measure in (Measure.RATE, Measure.PROPORTION, Measure.RATE)
    ]
    low, high = bounds_of(pairs, [1.0, 1.5, 2.0])
    assert list(zip(low, high, strict=True)) == [
        pytest.approx(pair.bounds(z)) for pair, z in zip(pairs, (1, 1.5, 2), strict=True)
    ]


def test_what_has_no_exposure_has_no_change():
    nothing = paired([0, 0], [0, 0], [0, 0])
    assert nothing.change is None
    assert nothing.discordance == 0


def test_a_pool_adds_up():
    one, other = paired([1, 0, 0], [0, 0, 1]), paired([0, 1, 0], [0, 0, 1], [2, 2, 2])
    together = pool("both", [one, other])
    assert together.total == 9
    assert together.change == pytest.approx(0)
    assert together.discordance == pytest.approx(4 / 9)


def test_a_family_asks_for_more_than_one_comparison():
    random = np.random.default_rng(8)
    family = [paired(random.binomial(1, 0.1, 200), random.binomial(1, 0.1, 200)) for _ in range(20)]
    alone = max_t(family[:1], alpha=0.05, resamples=2000, seed=1)
    together = max_t(family, alpha=0.05, resamples=2000, seed=1)
    bonferroni = stats.norm.ppf(1 - 0.05 / 20)
    assert stats.norm.ppf(0.95) <= alone < 2.1
    assert 2.4 < together < bonferroni * 1.15


def test_comparisons_that_move_together_ask_for_less():
    random = np.random.default_rng(8)
    losses = random.binomial(1, 0.1, 200)
    copies = [paired(np.zeros(200), losses, name=str(n)) for n in range(20)]
    alone = max_t(copies[:1], alpha=0.05, resamples=2000, seed=1)
    assert max_t(copies, alpha=0.05, resamples=2000, seed=1) == pytest.approx(alone)


def test_no_family_claims_nothing():
    assert max_t([], alpha=0.05, resamples=100, seed=1) == math.inf


def test_mcnemar_is_exact():
    # [[794, 86], [150, 570]], Agresti 2013, table 11.1: exact p 3.71594e-05
    assert mcnemar(86, 150) == pytest.approx(3.71594e-05, rel=1e-5)
    assert mcnemar(0, 0) is None


def test_mcnemars_statistic_is_the_score_at_no_change():
    won, lost, all_, none = (np.asarray(x, float) for x in (150, 86, 1600, 0))
    found = float(score(Measure.PROPORTION, won, lost, all_, none))
    distance = (150 - 86) / math.sqrt(150 + 86)
    assert found == pytest.approx(distance)
    assert distance**2 == pytest.approx(17.35593, abs=5e-6)
    assert (abs(150 - 86) - 1) ** 2 / (150 + 86) == pytest.approx(16.81780, abs=5e-6)  # with Yates's correction


def test_a_guideline_that_gained_everything_says_nothing_about_the_family() -> None:
    """A draw without its labels leaves no spread: it must not make the critical value infinite."""
    groups = 120
    labels = np.concatenate([np.ones(60), np.zeros(60)])
    gained = paired(labels, np.zeros(groups), labels)
    lost = paired(np.zeros(groups), np.arange(groups) < 11, np.full(groups, 2.0), name="b")
    critical = max_t([gained, lost], alpha=0.05, resamples=1000, seed=1)
    assert 1.64 < critical < 4
    assert max_t([gained], alpha=0.05, resamples=1000, seed=1) < 2
