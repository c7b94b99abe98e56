"""Checked documents of two versions or periods, compared. Pure.

A document counts once a side, by its latest complete report there: a partial report says too little of a version.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from statistics import NormalDist
from typing import NamedTuple

from agent.intervals import wilson
from serving.evidence import Figure

PER_WORDS = 1000
Z = NormalDist().inv_cdf(0.975)
LEVEL_OF_CHANCE = 0.05  # the part of intervals of 95 % that miss
NONE_FOUND = -math.log(0.025)  # upper limit of a Poisson mean of which nothing was seen, at the same level
BINS = 10  # of scores
UNKNOWN = Figure(value=None, low=None, high=None)


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of a comparison is made of: reports of one version, or of any where it is empty."""

    version: str
    since: datetime
    until: datetime  # not included


@dataclass(frozen=True, slots=True)
class Scope:
    """What both sides are narrowed to; empty is no narrowing."""

    channel: str = ""
    documents: str = ""  # what their ids begin with
    guideline: str = ""


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A document's latest complete report on one side."""

    job_id: str
    user: str
    document: str  # as `document_of` says: the same for the same document of a user
    title: str
    document_id: str
    blob: str  # equal for equal text
    version: str
    submitted: datetime
    words: int
    score: float | None
    cost: float | None  # None: of a model that has no price
    input_tokens: int
    output_tokens: int
    seconds: float  # of the check itself
    turnaround: float  # seconds from submitted to finished
    run_id: str = ""  # in MLflow; empty while it isn't told
    findings: Mapping[str, int] = field(default_factory=dict)  # by guideline, of those that were checked

    @property
    def key(self) -> tuple[str, str]:
        return self.user, self.document


class Direction(StrEnum):
    """Whether B raises more than A. Neither is better by itself: fewer may be missed ones."""

    MORE = "more"
    FEWER = "fewer"
    ALIKE = "alike"  # the interval of the difference holds 0
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a guideline is found broken on one side."""

    documents: int  # in which it was checked
    hit: int  # of them, with a finding
    findings: int
    words: int
    per_words: Figure  # findings in 1,000 words
    share: Figure  # of the documents with a finding


@dataclass(frozen=True, slots=True)
class GuidelineComparison:
    guideline: str
    a: Rate
    b: Rate
    difference: Figure  # B less A, findings in 1,000 words

    @property
    def direction(self) -> Direction:
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return Direction.UNKNOWN
        if low > 0:
            return Direction.MORE
        return Direction.FEWER if high < 0 else Direction.ALIKE


class Bin(NamedTuple):
    """Documents with a score from `low` to below `high`; the last one holds 100, too."""

    low: int
    high: int
    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Effort:
    """What the checks of one side took. None where nothing was checked; `cost` also where some model has no price."""

    documents: int
    words: int
    score: float | None  # median
    cost: float | None  # mean of a document
    unpriced: int  # documents whose cost isn't known
    input_tokens: float | None  # mean of a document
    output_tokens: float | None
    seconds: float | None  # median
    seconds_p95: float | None
    turnaround: float | None
    turnaround_p95: float | None


class Raised(NamedTuple):
    job_id: str
    guideline: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Change:
    """A document whose text was the same on both sides, and whose findings were not."""

    a: CheckedDocument
    b: CheckedDocument
    lost: tuple[Raised, ...]  # only A raised them
    gained: tuple[Raised, ...]  # only B did


@dataclass(frozen=True, slots=True)
class Pairs:
    """The documents that both sides checked."""

    same_text: tuple[tuple[CheckedDocument, CheckedDocument], ...]
    edited: int  # between the checks: what changed there may be the author's doing
    same_job: int  # one report stands on both sides


def compare(a: Sequence[CheckedDocument], b: Sequence[CheckedDocument]) -> list[GuidelineComparison]:
    """By guideline, those that differ first."""
    return by_difference(compared(id, a, b) for id in guidelines_of(a, b))


def guidelines_of(a: Iterable[CheckedDocument], b: Iterable[CheckedDocument]) -> list[str]:
    return list(dict.fromkeys(id for document in chain(a, b) for id in document.findings))


def by_difference(found: Iterable[GuidelineComparison]) -> list[GuidelineComparison]:
    return sorted(found, key=_order)


def pairs(a: Iterable[CheckedDocument], b: Iterable[CheckedDocument]) -> Pairs:
    before = {document.key: document for document in a}
    both = [(before[document.key], document) for document in b if document.key in before]
    other = [(one, two) for one, two in both if one.job_id != two.job_id]
    same = tuple((one, two) for one, two in other if one.blob == two.blob)
    return Pairs(same, len(other) - len(same), len(both) - len(other))


def changes(
    same_text: Iterable[tuple[CheckedDocument, CheckedDocument]], raised: Iterable[Raised], guideline: str = ""
) -> list[Change]:
    """The documents with most changes first."""
    by_job: dict[str, dict[str, Raised]] = {}
    for one in raised:
        if not guideline or one.guideline == guideline:
            by_job.setdefault(one.job_id, {})[one.fingerprint] = one
    changed = []
    for a, b in same_text:
        before, after = by_job.get(a.job_id, {}), by_job.get(b.job_id, {})
        # A guideline that one side didn't check was neither lost nor gained.
        lost = tuple(one for id, one in before.items() if id not in after and one.guideline in b.findings)
        gained = tuple(one for id, one in after.items() if id not in before and one.guideline in a.findings)
        if lost or gained:
            changed.append(Change(a, b, lost, gained))
    return by_size(changed)


def by_size(changed: Iterable[Change]) -> list[Change]:
    return sorted(changed, key=lambda change: (-len(change.lost) - len(change.gained), change.b.job_id))


def bins(a: Iterable[CheckedDocument], b: Iterable[CheckedDocument]) -> list[Bin]:
    counts = [[0] * BINS, [0] * BINS]
    for side, documents in zip(counts, (a, b), strict=True):
        for document in documents:
            if document.score is not None:
                side[min(int(document.score * BINS / 100), BINS - 1)] += 1
    width = 100 // BINS
    return [Bin(width * i, width * (i + 1), counts[0][i], counts[1][i]) for i in range(BINS)]


def effort(documents: Sequence[CheckedDocument]) -> Effort:
    costs = [document.cost for document in documents if document.cost is not None]
    unpriced = len(documents) - len(costs)
    scores = [document.score for document in documents if document.score is not None]
    return Effort(
        documents=len(documents),
        words=sum(document.words for document in documents),
        score=quantile(scores, 0.5),
        cost=_mean(costs) if not unpriced else None,
        unpriced=unpriced,
        input_tokens=_mean([document.input_tokens for document in documents]),
        output_tokens=_mean([document.output_tokens for document in documents]),
        seconds=quantile([document.seconds for document in documents], 0.5),
        seconds_p95=quantile([document.seconds for document in documents], 0.95),
        turnaround=quantile([document.turnaround for document in documents], 0.5),
        turnaround_p95=quantile([document.turnaround for document in documents], 0.95),
    )


def rate(documents: Sequence[CheckedDocument], guideline: str) -> Rate:
    """Of the documents in which the guideline was checked.

    Articles are drawn, not words: the interval takes the variance between documents (Taylor linearisation of a ratio,
    Cochran 1977, 6.4), or of a Poisson count where that is larger, on the logarithm of the rate.
    """
    drawn = [(document.findings[guideline], document.words) for document in documents if guideline in document.findings]
    found, words, hit = sum(f for f, _ in drawn), sum(w for _, w in drawn), sum(f > 0 for f, _ in drawn)
    share = UNKNOWN
    if drawn:
        low, high = wilson(hit / len(drawn), len(drawn), Z)
        share = Figure(value=hit / len(drawn), low=low, high=high)
    return Rate(len(drawn), hit, found, words, _per_words(drawn, found, words), share)


def quantile(values: Iterable[float], part: float) -> float | None:
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else None


def _per_words(drawn: Sequence[tuple[int, int]], found: int, words: int) -> Figure:
    if not words:
        return UNKNOWN
    value, unit = found / words, PER_WORDS
    if not found:
        return Figure(value=0.0, low=0.0, high=unit * NONE_FOUND / words)
    if len(drawn) < 2:
        return Figure(value=unit * value, low=None, high=None)
    n = len(drawn)
    between = n / (n - 1) * sum((f - value * w) ** 2 for f, w in drawn) / words**2
    error = math.sqrt(max(between, found / words**2)) / value
    return Figure(value=unit * value, low=unit * value * math.exp(-Z * error), high=unit * value * math.exp(Z * error))


def compared(guideline: str, a: Sequence[CheckedDocument], b: Sequence[CheckedDocument]) -> GuidelineComparison:
    before, after = rate(a, guideline), rate(b, guideline)
    together = _correlation(_residuals(a, guideline, before), _residuals(b, guideline, after))
    return GuidelineComparison(guideline, before, after, _difference(before.per_words, after.per_words, together))


def _difference(a: Figure, b: Figure, correlation: float) -> Figure:
    """From the intervals of both (MOVER, Zou and Donner 2008), which holds at zero, too."""
    if a.value is None or b.value is None:
        return UNKNOWN
    value = b.value - a.value
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Figure(value=value, low=None, high=None)
    down = _joined(b.value - b.low, a.high - a.value, correlation)
    up = _joined(b.high - b.value, a.value - a.low, correlation)
    return Figure(value=value, low=value - down, high=value + up)


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one + other * other - 2 * correlation * one * other))


def _residuals(documents: Iterable[CheckedDocument], guideline: str, found: Rate) -> dict[tuple[str, str], float]:
    value = found.findings / found.words if found.words else 0.0
    return {d.key: d.findings[guideline] - value * d.words for d in documents if guideline in d.findings}


def _correlation(a: Mapping[tuple[str, str], float], b: Mapping[tuple[str, str], float]) -> float:
    """Of the two rates: documents on both sides make them go together."""
    squares = sum(x * x for x in a.values()) * sum(x * x for x in b.values())
    if not squares:
        return 0.0
    return max(-1.0, min(1.0, sum(a[key] * b[key] for key in a.keys() & b.keys()) / math.sqrt(squares)))


def _order(found: GuidelineComparison) -> tuple[bool, float, str]:
    differs = found.direction in (Direction.MORE, Direction.FEWER)
    return not differs, -abs(found.difference.value or 0.0), found.guideline


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
