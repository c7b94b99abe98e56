"""Claims of a comparison, each with its verdict: no worse, worse, a drop within the margin, or not enough data.

"No worse" is claimed of each by itself: all must hold, so nothing is corrected (Berger 1982, intersection-union).
"Worse" is claimed of any, so those bounds hold for the whole family at once (max-t).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy import stats

from evaluation.paired import Measure, Paired, bounds_of, max_t
from evaluation.policy import Policy, Tier
from evaluation.power import joint_power, non_inferiority_units, smallest_margin


class Verdict(StrEnum):
    """What the evidence says of a claim."""

    NO_WORSE = "no worse"  # the lower bound is above -margin
    WORSE = "worse"  # the upper bound, for the whole family, is below -margin
    DROP = "drop within margin"  # surely a loss, and surely less than the margin
    NOT_ENOUGH = "not enough data"


@dataclass(frozen=True)
class Claim:
    """That a challenger loses less than `margin` on one figure."""

    pair: Paired
    margin: float
    tier: Tier
    deciding: bool  # whether a promotion needs it


@dataclass(frozen=True)
class Ruling:
    """A claim with its evidence. Changes are in the unit of the figure, more is better."""

    claim: Claim
    verdict: Verdict
    change: float | None
    low: float | None  # one-sided bound, of this claim alone
    high: float | None  # one-sided bound, of the whole family
    alpha: float
    power: float  # that a promotion takes of each claim
    least: float  # effective labelled violations without which nothing is claimed

    @property
    def name(self) -> str:
        return self.claim.pair.name

    @property
    def surely_a_loss(self) -> bool:
        return self.high is not None and self.high < 0

    @property
    def smallest(self) -> float | None:
        """The smallest drop that these articles can rule out, with the power that promotion takes."""
        pair = self.claim.pair
        if pair.change is None:
            return None
        return smallest_margin(
            pair.effective, expected_discordance(pair), alpha=self.alpha, power=self.power, measure=pair.measure
        )

    @property
    def missing(self) -> int:
        """Article groups with a label that the margin takes besides; 0 when there are enough."""
        pair = self.claim.pair
        if pair.change is None:
            return math.ceil(self.least)
        needed = non_inferiority_units(
            self.claim.margin,
            expected_discordance(pair),
            alpha=self.alpha,
            power=self.power,
            measure=pair.measure,
        )
        if pair.measure is Measure.PROPORTION:
            needed = max(needed, self.least)
        return math.ceil(max(0.0, needed - pair.effective) / (pair.effective / pair.groups) - 1e-9)


def rule(claims: Sequence[Claim], policy: Policy) -> tuple[Ruling, ...]:
    """A verdict on each claim of a family; all share the same article groups."""
    family = [claim.pair for claim in claims if claim.pair.total > 0]
    critical_value = max_t(family, alpha=policy.worse_alpha, resamples=policy.resamples, seed=policy.seed)
    deviations = stats.t.ppf(1 - policy.alpha, [max(1, pair.groups - 1) for pair in family])
    bounds = {
        id(pair): (low, high)
        for pair, low, high in zip(
            family, bounds_of(family, deviations)[0], bounds_of(family, critical_value)[1], strict=True
        )
    }
    power = joint_power(policy.joint_power, max(1, sum(claim.deciding for claim in claims)))
    return tuple(_rule(claim, bounds.get(id(claim.pair)), policy, power) for claim in claims)


def _rule(claim: Claim, bounds: tuple[float, float] | None, policy: Policy, power: float) -> Ruling:
    pair = claim.pair
    low, high = bounds or (None, None)
    verdict = Verdict.NOT_ENOUGH
    enough = pair.measure is Measure.RATE or pair.effective >= policy.least_effective
    if low is not None and high is not None and enough:
        verdict = _verdict(low, high, claim.margin)
    return Ruling(claim, verdict, pair.change, low, high, policy.alpha, power, policy.least_effective)


def _verdict(low: float, high: float, margin: float) -> Verdict:
    if high < -margin:
        return Verdict.WORSE
    if low <= -margin:
        return Verdict.NOT_ENOUGH
    return Verdict.DROP if high < 0 else Verdict.NO_WORSE


def expected_discordance(pair: Paired) -> float:
    """What is seen, and one event more, so that none seen isn't taken for none to come."""
    return (float((pair.gains + pair.losses).sum()) + 1) / (pair.total + 1)
