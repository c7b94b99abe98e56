"""How many labelled units a claim takes, and how small a drop so many can see."""

import math

import numpy as np
from scipy import stats

from evaluation.paired import Measure, score

ALPHA = 0.05  # one-sided
POWER = 0.8
_MOST_UNITS = 1e9


def paired_units(drop: float, discordance: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Pairs needed to see a drop of a proportion, where the versions differ on the part `discordance` of the units.

    Miettinen 1968 (as in Connor 1987), for a one-sided test. A drop takes at least as much discordance; a hundredth
    more is assumed where it is less, because a change of one direction only would be no sample's case.
    """
    spread = max(discordance, drop + 0.01)
    null, alternative = math.sqrt(spread), math.sqrt(spread - drop**2)
    return _whole((_z(1 - alpha) * null + _z(power) * alternative) ** 2 / drop**2)


def unpaired_units(drop: float, proportion: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Units an arm needed to see a drop from `proportion`, on different articles (Fleiss 1981, unpooled)."""
    after = proportion - drop
    spread = proportion * (1 - proportion) + after * (1 - after)
    return _whole((_z(1 - alpha) + _z(power)) ** 2 * spread / drop**2)


def normal_units(margin: float, discordance: float, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """Units to rule a drop of `margin` out, with the same variance under both hypotheses: a first guess."""
    return (_z(1 - alpha) + _z(power)) ** 2 * discordance / margin**2


def joint_power(joint: float, tests: int) -> float:
    """The power each of so many independent tests needs, so that all of them pass with probability `joint`."""
    return float(joint ** (1 / tests))


def non_inferiority_units(
    margin: float,
    discordance: float,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    measure: Measure = Measure.PROPORTION,
) -> float:
    """Units needed to show that an equally good challenger loses less than `margin`, by the bounds of `paired`.

    The variance under the hypothesis is that of the score test at -margin when gains and losses are as they are
    expected, half of the discordance each; under the truth it is the discordance itself.
    """
    half = discordance / 2
    one = np.asarray(1.0)
    # The statistic of one unit at its expectation is margin / (standard deviation under the hypothesis).
    statistic = float(score(measure, np.asarray(half), np.asarray(half), one, np.asarray(-margin)))
    hypothesis = margin / statistic
    return ((_z(1 - alpha) * hypothesis + _z(power) * math.sqrt(discordance)) / margin) ** 2


def smallest_margin(
    units: float,
    discordance: float,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    measure: Measure = Measure.PROPORTION,
) -> float:
    """The smallest drop that so many units rule out for an equally good challenger; 1 when no drop can be."""
    low, high = 1e-6, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        needed = non_inferiority_units(middle, discordance, alpha=alpha, power=power, measure=measure)
        low, high = (middle, high) if needed > units else (low, middle)
    return high


def mean_difference_questions(variance: float, effect: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Questions needed to see a difference of mean scores, two-sided (Miller 2024, equation 9, without resampling)."""
    return _whole((_z(1 - alpha / 2) + _z(power)) ** 2 * variance / effect**2)


def _z(probability: float) -> float:
    return float(stats.norm.ppf(probability))


def _whole(units: float) -> int:
    return math.ceil(min(units, _MOST_UNITS) - 1e-9)
