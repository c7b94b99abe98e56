"""Two versions on the same articles: the change of a figure, and how sure it is.

A change is counted so that more is better: `gains` are events of the challenger's favour (a labelled span that only it
finds, a false alarm that only the champion raises), `losses` the opposite. Bounds are score bounds, so that they have a
width also where the versions never differ, at the exposure that the design effect of article groups leaves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from evaluation.estimates import Floats, ratio

NO_UNITS = 1e-9  # exposure under this is rounding
BISECTIONS = 50
PART = 1000  # resamples at once, for memory


class Measure(StrEnum):
    """What a change is a change of."""

    PROPORTION = "proportion"  # of labelled spans: at most one event a unit of exposure
    RATE = "rate"  # per unit of text: any number of events


@dataclass(frozen=True)
class Paired:
    """One figure of one guideline (or category) under two versions; arrays have one element an article group."""

    name: str
    measure: Measure
    exposure: Floats  # labelled spans, or thousands of words
    gains: Floats
    losses: Floats

    @property
    def net(self) -> Floats:
        return self.gains - self.losses

    @property
    def total(self) -> float:
        return float(self.exposure.sum())

    @property
    def change(self) -> float | None:
        """None without exposure: 0/0 is undefined."""
        return float(self.net.sum()) / self.total if self.total > 0 else None

    @property
    def discordance(self) -> float:
        """Events of either favour per unit of exposure."""
        return float((self.gains + self.losses).sum()) / self.total if self.total > 0 else 0.0

    @property
    def effective(self) -> float:
        """The exposure that as many independent units would have."""
        return self.total / self.design_effect

    @property
    def design_effect(self) -> float:
        """How many times the clustered variance of the change is that of independent units; at least 1."""
        estimate = ratio(self.net, self.exposure)
        change = estimate.value or 0.0
        spread = self.discordance - (change**2 if self.measure is Measure.PROPORTION else 0.0)
        if estimate.standard_error is None or spread <= 0:
            return 1.0
        return max(1.0, estimate.standard_error**2 * self.total / spread)

    @property
    def groups(self) -> int:
        """Article groups that have exposure."""
        return int((self.exposure > 0).sum())

    def bounds(self, z: float) -> tuple[float, float]:
        """Lower and upper bound of the change, each at `z` standard normal deviations."""
        low, high = bounds_of([self], z)
        return low[0], high[0]


def pool(name: str, parts: Sequence[Paired]) -> Paired:
    """Several guidelines as one figure; they share their groups."""
    return Paired(
        name,
        parts[0].measure,
        np.sum([part.exposure for part in parts], axis=0),
        np.sum([part.gains for part in parts], axis=0),
        np.sum([part.losses for part in parts], axis=0),
    )


def bounds_of(pairs: Sequence[Paired], z: ArrayLike) -> tuple[list[float], list[float]]:
    """Lower and upper bounds of many changes, each at `z` standard normal deviations."""
    deviations = np.broadcast_to(np.asarray(z, float), len(pairs))
    sums = np.array([[p.gains.sum(), p.losses.sum(), p.total] for p in pairs]).reshape(len(pairs), 3)
    sums /= np.array([p.design_effect for p in pairs]).reshape(len(pairs), 1)
    low, high = np.zeros(len(pairs)), np.zeros(len(pairs))
    for measure in Measure:
        rows = np.array([p.measure is measure for p in pairs], bool)
        if rows.any():
            gains, losses, exposure = sums[rows].T
            low[rows], high[rows] = score_bounds(measure, gains, losses, exposure, deviations[rows])
    return low.tolist(), high.tolist()


def score_bounds(
    measure: Measure, gains: ArrayLike, losses: ArrayLike, exposure: ArrayLike, z: ArrayLike
) -> tuple[Floats, Floats]:
    """Score bounds of (gains - losses) / exposure; arguments may be arrays, counts need not be whole.

    For a proportion Tango 1998; for a rate the same construction on two Poisson counts over one exposure.
    """
    gain, loss, units, deviations = np.broadcast_arrays(*(np.asarray(x, float) for x in (gains, losses, exposure, z)))
    change = (gain - loss) / units
    far = 1.0 if measure is Measure.PROPORTION else (gain + loss + 10.0 * deviations**2 + 10.0) / units
    low = _solve(measure, gain, loss, units, deviations, change, -far * np.ones_like(change))
    high = _solve(measure, gain, loss, units, -deviations, change, far * np.ones_like(change))
    return low, high


def score(measure: Measure, gain: Floats, loss: Floats, units: Floats, change: Floats) -> Floats:
    """The score statistic of the hypothesis that the change is `change`."""
    spread = _spread(measure, gain, loss, units, change)
    distance = gain - loss - units * change
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(distance == 0, 0.0, distance / np.sqrt(units * spread))


def _spread(measure: Measure, gain: Floats, loss: Floats, units: Floats, change: Floats) -> Floats:
    """Variance of one unit, at the likeliest rates that have this change."""
    if measure is Measure.PROPORTION:
        linear = -gain - loss + (2 * units - gain + loss) * change
        constant = -loss * change * (1 - change)
        losing = (np.sqrt(np.maximum(linear**2 - 8 * units * constant, 0)) - linear) / (4 * units)
        return np.maximum(2 * losing + change * (1 - change), 0)
    linear = 2 * units * change - gain - loss
    losing = (np.sqrt(np.maximum(linear**2 + 8 * units * loss * change, 0)) - linear) / (4 * units)
    losing = np.maximum(losing, np.maximum(0, -change))
    return np.asarray(2 * losing + change)


def _solve(measure: Measure, gain: Floats, loss: Floats, units: Floats, z: Floats, near: Floats, far: Floats) -> Floats:
    """Where between `near` (score 0) and `far` the score reaches z."""
    for _ in range(BISECTIONS):
        middle = (near + far) / 2
        reached = np.abs(score(measure, gain, loss, units, middle)) > np.abs(z)
        near, far = np.where(reached, near, middle), np.where(reached, middle, far)
    return (near + far) / 2


def max_t(family: Sequence[Paired], *, alpha: float, resamples: int, seed: int) -> float:
    """How many standard deviations a loss must lie beyond a margin to count, looking at a whole family at once.

    The 1-`alpha` quantile of the family's largest score statistic over resamples of the article groups, each taken at
    the change that was observed (Westfall & Young 1993), never under the quantile for one comparison. The bounds are
    made of the same statistic, so they hold for the family at once. Infinite for an empty family.
    """
    if not family:
        return math.inf
    gains, losses, exposure = (
        np.stack([getattr(pair, part) / pair.design_effect for pair in family], axis=1)
        for part in ("gains", "losses", "exposure")
    )
    change = (gains - losses).sum(axis=0) / exposure.sum(axis=0)
    rates = np.array([pair.measure is Measure.RATE for pair in family])
    random, groups = np.random.default_rng(seed), len(gains)
    largest = np.empty(resamples)
    for start in range(0, resamples, PART):
        size = min(PART, resamples - start)
        drawn = random.multinomial(groups, np.full(groups, 1 / groups), size=size).astype(float)
        sums = [drawn @ part for part in (gains, losses, exposure)]
        statistics = np.empty((size, len(family)))
        for measure, columns in ((Measure.PROPORTION, ~rates), (Measure.RATE, rates)):
            parts = [part[:, columns] for part in sums]
            gain, loss, units = parts
            # A draw without exposure, or at a change that leaves no spread, says nothing about the family's largest.
            known = score(measure, gain, loss, np.where(units > NO_UNITS, units, 1.0), change[columns])
            statistics[:, columns] = np.where((units > NO_UNITS) & np.isfinite(known), known, 0.0)
        largest[start : start + size] = np.max(-statistics, axis=1)
    critical = max(float(np.quantile(largest, 1 - alpha)), float(stats.norm.ppf(1 - alpha)))
    if not math.isfinite(critical):
        raise ArithmeticError(f"the family's critical value is {critical}: no bound can be made of it")
    return critical
