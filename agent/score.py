"""Findings to a score from 0 to 100, with what it is made of.

Each finding weighs `POINTS[severity]`. For guideline g of n words the burden is

    b(g) = sum of points of its findings * 1000 / max(n, MIN_WORDS)

and the penalty over all guidelines is `100 * (1 - exp(-B / SCALE))`, B the sum of the burdens: it
grows with every finding and never passes 100, the same text twice over scores the same, and it is
shared out over the guidelines by their burden. A breach lifts the penalty to at least
`100 - BREACH_CAP`, at the charge of the guidelines breached, so an article with one is never green.

Shares are rounded to tenths by the largest remainder: `100 - score` equals their sum exactly.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from agent.finding import Finding, Severity

POINTS: Mapping[Severity, float] = {Severity.ADVICE: 1.0, Severity.WARNING: 3.0, Severity.BREACH: 10.0}
SCALE = 60.0  # burden at which the penalty is 63: twenty warnings in 1,000 words
MIN_WORDS = 250  # shorter articles are counted as this long, or one slip would sink a notice
GREEN_FROM = 80.0
AMBER_FROM = 60.0
BREACH_CAP = 75.0


class Band(StrEnum):
    """The colour an editor sees."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Contribution(BaseModel):
    """What one guideline takes off the score."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    findings: int
    points: float  # taken off, in tenths; the sum over guidelines is 100 - score
    score: float  # of this guideline by itself, 0-100


class Score(BaseModel):
    """Score of one article, 0-100, 100 the best."""

    model_config = ConfigDict(frozen=True)

    value: float
    average: float  # mean of the scores of the guidelines checked, each by itself
    minimum: float  # the lowest of them
    contributions: tuple[Contribution, ...]  # guidelines with findings, the dearest first


def score(findings: Iterable[Finding], *, words: int, checked: int) -> Score:
    """Scores the findings of an article of `words` words checked against `checked` guidelines."""
    found = list(findings)
    burdens: dict[str, float] = {}
    for finding in found:
        burdens[finding.guideline] = burdens.get(finding.guideline, 0.0) + POINTS[finding.severity]
    burdens = {id: points * 1000 / max(words, MIN_WORDS) for id, points in burdens.items()}
    breached = {finding.guideline for finding in found if finding.severity is Severity.BREACH}

    shares = _shares(burdens, breached)
    tenths = _round_to_sum(shares)
    counts = Counter(finding.guideline for finding in found)
    alone = {id: 100 - sum(_shares({id: burden}, breached & {id}).values()) for id, burden in burdens.items()}
    clear = max(checked - len(burdens), 0)
    return Score(
        value=(1000 - sum(tenths.values())) / 10,
        average=round((sum(alone.values()) + 100 * clear) / (len(alone) + clear), 1) if alone or clear else 100.0,
        minimum=round(min(alone.values(), default=100.0), 1),
        contributions=tuple(
            Contribution(guideline=id, findings=counts[id], points=tenths[id] / 10, score=round(alone[id], 1))
            for id in sorted(burdens, key=lambda id: (-tenths[id], id))
        ),
    )


def band(value: float, *, complete: bool) -> Band:
    """Green from 80, amber from 60; what wasn't checked whole is never green."""
    if value >= GREEN_FROM and complete:
        return Band.GREEN
    return Band.AMBER if value >= AMBER_FROM else Band.RED


def _shares(burdens: Mapping[str, float], breached: set[str]) -> dict[str, float]:
    total = sum(burdens.values())
    if not total:
        return {}
    penalty = 100 * (1 - math.exp(-total / SCALE))
    shares = {id: penalty * burden / total for id, burden in burdens.items()}
    if breached and penalty < 100 - BREACH_CAP:
        for id in breached:
            shares[id] += (100 - BREACH_CAP - penalty) / len(breached)
    return shares


def _round_to_sum(shares: Mapping[str, float]) -> dict[str, int]:
    """Shares in whole tenths whose sum is the rounded sum of the shares (largest remainder)."""
    exact = {id: share * 10 for id, share in shares.items()}
    tenths = {id: math.floor(value) for id, value in exact.items()}
    missing = round(sum(exact.values())) - sum(tenths.values())
    for id in sorted(exact, key=lambda id: (tenths[id] - exact[id], id))[:missing]:
        tenths[id] += 1
    return tenths
