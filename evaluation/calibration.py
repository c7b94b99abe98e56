"""Whether a judge may be believed: its verdicts held against a person's, by Cohen's kappa.

A judge that calls everything good agrees with a person who does so nearly always, so agreement alone says little.
Kappa (Cohen 1960) is the part of the agreement beyond chance that there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evaluation.estimates import LEVEL, Estimate, Floats, proportion

KAPPA_FLOOR = 0.6  # above it agreement is called substantial (Landis & Koch 1977)
# A bootstrap has no width where all agree. With these least numbers a judge that is right in all of them is, at 95 %,
# wrong in fewer than 15 % (3/20), which is a kappa over 0.6.
MIN_GROUPS = 20
MIN_OF_EACH = 10
RESAMPLES = 2000


class Pair(NamedTuple):
    """One finding under one criterion."""

    group: str
    human: bool  # good
    judge: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge beside a person, by one criterion."""

    pairs: int
    groups: int
    human_good: int
    judge_good: int
    agreement: Estimate
    kappa: float | None  # None where one of the two never says anything else
    low: float | None  # 95 % by resampling groups
    high: float | None

    @property
    def enough(self) -> bool:
        """Whether there is enough to tell."""
        fewest = min(self.human_good, self.pairs - self.human_good)
        return self.groups >= MIN_GROUPS and fewest >= MIN_OF_EACH

    @property
    def trusted(self) -> bool:
        return self.enough and self.low is not None and self.low >= KAPPA_FLOOR


def calibrate(pairs: Sequence[Pair], *, resamples: int = RESAMPLES, seed: int = 7) -> Calibration:
    """Agreement and kappa with intervals clustered by article group; resampled groups are drawn with replacement."""
    groups = sorted({pair.group for pair in pairs})
    rows = {group: row for row, group in enumerate(groups)}
    counts = np.zeros((len(groups), 4))
    for pair in pairs:
        counts[rows[pair.group], 2 * (not pair.human) + (not pair.judge)] += 1
    total = counts.sum(axis=0)
    low = high = None
    value = _kappa(total)
    if not np.isnan(value) and len(groups) > 1:
        weights = np.random.default_rng(seed).multinomial(len(groups), [1 / len(groups)] * len(groups), size=resamples)
        drawn = np.nan_to_num(_kappa(weights @ counts), nan=0.0)  # all of one kind: nothing beyond chance was shown
        low, high = map(float, np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return Calibration(
        pairs=len(pairs),
        groups=len(groups),
        human_good=int(total[0] + total[1]),
        judge_good=int(total[0] + total[2]),
        agreement=proportion(counts[:, 0] + counts[:, 3], counts.sum(axis=1)),
        kappa=None if np.isnan(value) else float(value),
        low=low,
        high=high,
    )


def verdict(calibration: Calibration | None) -> str:
    """One sentence on whether the judge may be believed."""
    if calibration is None:
        return "uncalibrated: nobody has said how often this judge is right"
    one = calibration
    if not one.enough:
        return (
            f"not enough to tell: {one.human_good} good and {one.pairs - one.human_good} bad by a person in "
            f"{one.groups} article groups; it takes {MIN_OF_EACH} of each in {MIN_GROUPS}"
        )
    if one.kappa is None or one.low is None or one.high is None:
        return "not to be trusted: it says the same of every finding"
    found = f"kappa {one.kappa:.2f} ({one.low:.2f} to {one.high:.2f})"
    if one.trusted:
        return f"may be trusted: {found} is surely {KAPPA_FLOOR:g} or more"
    return f"not to be trusted: {found} may be under {KAPPA_FLOOR:g}"


def _kappa(counts: Floats) -> Floats:
    """Cohen's kappa of counts (..., 4): both good, only the person, only the judge, both bad. 0/0 is NaN."""
    both, person, judge, neither = np.moveaxis(counts, -1, 0)
    pairs = both + person + judge + neither
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = (both + neither) / pairs
        chance = ((both + person) * (both + judge) + (neither + judge) * (neither + person)) / pairs**2
        return np.asarray((seen - chance) / (1 - chance))
