"""Figures with their uncertainty, when what was counted comes in groups that aren't independent.

Every figure here is a ratio of two sums over article groups: recall is found over labelled, F1 twice found over
labelled plus predicted, false alarms are counted over words. Its standard error is clustered by group.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from agent.intervals import wilson

Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio of sums over groups. `value` is None for 0/0, which is neither 0 nor 1."""

    value: float | None
    standard_error: float | None  # clustered; None with fewer than two groups
    groups: int  # that count towards the denominator
    weight: float  # the denominator: labelled spans, words ...
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def ratio(numerators: ArrayLike, denominators: ArrayLike) -> Estimate:
    """The ratio of the sums of two vectors, one element a group, with its clustered standard error.

    The variance is that of the linearised ratio with the correction G/(G-1) (Miller 2024, equation 4, for a mean;
    Cochran 1977, section 6.4, for a ratio). Groups without denominator say nothing and don't count.
    """
    top, bottom = np.asarray(numerators, float), np.asarray(denominators, float)
    counting = (bottom > 0) | (top != 0)
    groups, weight = int(counting.sum()), float(bottom.sum())
    if weight <= 0:
        return Estimate(None, None, groups, 0.0)
    value = float(top.sum()) / weight
    if groups < 2:
        return Estimate(value, None, groups, weight)
    residuals = (top - value * bottom)[counting]
    variance = groups / (groups - 1) * float(residuals @ residuals) / weight**2
    return Estimate(value, math.sqrt(variance), groups, weight)


def mean(values: ArrayLike, clusters: Sequence[object] | None = None) -> Estimate:
    """The mean of values, clustered where clusters are named; every value is its own cluster otherwise."""
    numbers = np.asarray(values, float)
    names = list(range(len(numbers))) if clusters is None else list(clusters)
    _, index = np.unique(np.asarray(names), return_inverse=True)
    size = int(index.max()) + 1 if len(index) else 0
    return ratio(np.bincount(index, numbers, size), np.bincount(index, minlength=size))


def proportion(numerators: ArrayLike, denominators: ArrayLike, level: float = LEVEL) -> Estimate:
    """A proportion with Wilson's interval, at the number of trials that the design effect leaves.

    Wilson 1927; for clustered trials with the design effect of Kish 1965, never below 1, and with Student's t of
    G-1 degrees in place of the normal quantile (Dean & Pagano 2015). It has a width also where all or none were found.
    """
    estimate = ratio(numerators, denominators)
    if estimate.value is None:
        return estimate
    value, weight = min(1.0, max(0.0, estimate.value)), estimate.weight
    effective = weight / design_effect(value, weight, estimate.standard_error)
    z = quantile(level, estimate.groups)
    low, high = wilson(value, effective, z)
    return Estimate(value, estimate.standard_error, estimate.groups, weight, low, high)


def rate(numerators: ArrayLike, denominators: ArrayLike, level: float = LEVEL) -> Estimate:
    """Events over an exposure that may have none, such as false alarms over words; never below 0.

    The score interval of a Poisson rate, with its variance inflated where the counts vary more between groups.
    """
    estimate = ratio(numerators, denominators)
    if estimate.value is None:
        return estimate
    poisson = estimate.value / estimate.weight
    inflated = (estimate.standard_error or 0.0) ** 2 / poisson if poisson > 0 else 1.0
    z = quantile(level, estimate.groups)
    half = z * z * max(1.0, inflated) / (2 * estimate.weight)
    width = math.sqrt(half * half + 2 * half * estimate.value)
    return Estimate(
        estimate.value,
        estimate.standard_error,
        estimate.groups,
        estimate.weight,
        estimate.value + half - width,
        estimate.value + half + width,
    )


def with_student(estimate: Estimate, level: float = LEVEL) -> Estimate:
    """The estimate with Student's interval of G-1 degrees; without one where there are fewer than two groups."""
    if estimate.value is None or estimate.standard_error is None:
        return estimate
    half = quantile(level, estimate.groups) * estimate.standard_error
    return Estimate(
        estimate.value,
        estimate.standard_error,
        estimate.groups,
        estimate.weight,
        estimate.value - half,
        estimate.value + half,
    )


def design_effect(value: float, weight: float, standard_error: float | None) -> float:
    """How many times the clustered variance of a proportion is that of independent trials; at least 1."""
    independent = value * (1 - value) / weight
    if standard_error is None or independent <= 0:
        return 1.0
    return max(1.0, standard_error**2 / independent)


def quantile(level: float, groups: int) -> float:
    """Student's quantile of a two-sided interval over so many groups."""
    return float(stats.t.ppf((1 + level) / 2, max(1, groups - 1)))
