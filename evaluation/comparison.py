"""Two evaluations of the same articles, paired: what changed, by guideline, and over all."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats

from agent.errors import CopydeskError
from agent.score import POINTS
from evaluation.counts import ArticleCounts, counts_of, group_rows
from evaluation.estimates import Floats
from evaluation.metrics import PER_WORDS, EvaluationFigures, figures_of
from evaluation.paired import Measure, Paired
from evaluation.record import Evaluation, GuidelineFacts

RECALL = "recall"
FALSE_ALARMS = "false alarms"


class NotComparable(CopydeskError):
    """Two evaluations can't be paired."""

    type = "not-comparable"


class Status(StrEnum):
    """How a guideline stands in two versions."""

    UNCHANGED = "unchanged"  # everything its verdicts depend on is equal
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class GuidelineChange:
    """One guideline under champion and challenger; `pairs` are for those in both."""

    id: str
    facts: GuidelineFacts
    status: Status
    recall: Paired | None = None
    false_alarms: Paired | None = None
    unpaired: int = 0  # articles that only one version could check

    @property
    def pairs(self) -> tuple[Paired, ...]:
        return tuple(pair for pair in (self.recall, self.false_alarms) if pair is not None)


@dataclass(frozen=True)
class Comparison:
    """A champion and a challenger on the same articles."""

    champion: Evaluation
    challenger: Evaluation
    before: EvaluationFigures
    after: EvaluationFigures
    guidelines: tuple[GuidelineChange, ...]  # in the challenger's order, then what it lacks
    verdicts_lost: int  # articles whose colour only the champion got right
    verdicts_won: int
    mcnemar_p: float | None  # exact, two-sided; None where no verdict differs


def compare(champion: Evaluation, challenger: Evaluation, slice: str = "") -> Comparison:
    """Pairs two evaluations by article; with `slice` only articles of that slice. Raises NotComparable."""
    if champion.set_digest != challenger.set_digest:
        raise NotComparable(
            f"{champion.ref} was evaluated on {_where(champion)}, {challenger.ref} on {_where(challenger)}: "
            "evaluate both on the same version of a set"
        )
    articles = [article.id for article in champion.articles if not slice or slice in article.slices]
    rows = group_rows(champion.labels[id] for id in articles)
    ids = [*challenger.guidelines, *(id for id in champion.guidelines if id not in challenger.guidelines)]
    lost, won = _verdicts(champion, challenger, articles)
    return Comparison(
        champion=champion,
        challenger=challenger,
        before=figures_of(champion),
        after=figures_of(challenger),
        guidelines=tuple(_change(champion, challenger, id, rows, articles) for id in ids),
        verdicts_lost=lost,
        verdicts_won=won,
        mcnemar_p=mcnemar(lost, won),
    )


def mcnemar(lost: int, won: int) -> float | None:
    """Exact two-sided p of McNemar's test on what differs."""
    return float(stats.binomtest(lost, lost + won, 0.5).pvalue) if lost + won else None


def _change(
    champion: Evaluation, challenger: Evaluation, id: str, rows: dict[str, int], articles: list[str]
) -> GuidelineChange:
    old, new = champion.guidelines.get(id), challenger.guidelines.get(id)
    if new is None or old is None:
        facts = new or old
        assert facts is not None  # noqa: S101 - it is in one of them
        return GuidelineChange(id, facts, Status.REMOVED if new is None else Status.ADDED)
    status = Status.UNCHANGED if old.digest == new.digest else Status.CHANGED
    before = counts_of(champion, id, articles).articles
    after = counts_of(challenger, id, articles).articles
    both = [article for article in articles if article in before and article in after]
    pairs = [(before[article], after[article]) for article in both]
    lost = [before[article] for article in articles if article in before and article not in after]
    stricter = max(old.severity, new.severity, key=lambda severity: POINTS[severity])
    return GuidelineChange(
        id,
        # A challenger doesn't choose how strictly it is judged.
        new.model_copy(update={"severity": stricter, "category": old.category}),
        status,
        recall=_recall(id, pairs, lost, rows),
        false_alarms=_false_alarms(id, pairs, rows),
        unpaired=len(before.keys() ^ after.keys()),
    )


def _recall(
    id: str, pairs: Iterable[tuple[ArticleCounts, ArticleCounts]], lost: Iterable[ArticleCounts], rows: dict[str, int]
) -> Paired:
    """`lost`: articles that only the champion checked. What it found there isn't found any more."""
    exposure, gains, losses = _zeros(len(rows))
    for before in lost:
        row = rows[before.group]
        exposure[row] += before.tally.gold
        losses[row] += before.tally.found
    for before, after in pairs:
        row = rows[before.group]
        exposure[row] += before.tally.gold
        gains[row] += max(0.0, after.tally.found - before.tally.found)
        losses[row] += max(0.0, before.tally.found - after.tally.found)
    return Paired(f"{id}: {RECALL}", Measure.PROPORTION, exposure, gains, losses)


def _false_alarms(id: str, pairs: Iterable[tuple[ArticleCounts, ArticleCounts]], rows: dict[str, int]) -> Paired:
    exposure, gains, losses = _zeros(len(rows))
    for before, after in pairs:
        row = rows[before.group]
        more = after.tally.false_alarms - before.tally.false_alarms
        exposure[row] += before.words / PER_WORDS
        gains[row] += max(0.0, -more)
        losses[row] += max(0.0, more)
    return Paired(f"{id}: {FALSE_ALARMS}", Measure.RATE, exposure, gains, losses)


def _zeros(size: int) -> tuple[Floats, Floats, Floats]:
    return np.zeros(size), np.zeros(size), np.zeros(size)


def _verdicts(champion: Evaluation, challenger: Evaluation, articles: list[str]) -> tuple[int, int]:
    """Articles whose colour only one got right, by the majority of its repeats."""
    before, after = _right(champion), _right(challenger)
    lost = sum(before.get(id, False) and not after.get(id, True) for id in articles)
    won = sum(after.get(id, False) and not before.get(id, True) for id in articles)
    return lost, won


def _right(evaluation: Evaluation) -> dict[str, bool]:
    right: dict[str, list[bool]] = {}
    for result in evaluation.results:
        if result.status == "complete":
            right.setdefault(result.article, []).append(result.band == evaluation.labels[result.article].band)
    return {id: sum(values) * 2 > len(values) for id, values in right.items()}


def _where(evaluation: Evaluation) -> str:
    return f"{evaluation.set_name} {evaluation.split} ({evaluation.set_digest[:12]})"
