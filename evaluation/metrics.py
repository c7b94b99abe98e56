"""The figures of one evaluation: per guideline and overall, with intervals clustered by article group."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agent.finding import Severity
from evaluation.counts import GroupSums, counts_of, group_rows, total
from evaluation.estimates import Estimate, mean, proportion, rate, with_student
from evaluation.matching import PartialOverlap, Tally, partial_overlap
from evaluation.record import Evaluation

PER_WORDS = 1000.0  # false alarms are given per so many words


@dataclass(frozen=True)
class Figures:
    """Figures of one guideline, a category or all together. What 0/0 would be is None."""

    name: str
    gold: float  # labelled violations
    negatives: float  # hard negatives
    recall: Estimate
    false_alarms: Estimate  # per 1,000 words of text without that violation
    precision: Estimate
    f1: Estimate
    exact_recall: Estimate
    negatives_hit: Estimate  # part of the hard negatives that are marked
    partial: PartialOverlap
    failed: float  # part of the checks without a verdict of the version's own

    @property
    def is_labelled(self) -> bool:
        return self.gold > 0


@dataclass(frozen=True)
class GuidelineFigures:
    """The figures of one guideline with what it is."""

    id: str
    title: str
    category: str
    severity: Severity
    figures: Figures


@dataclass(frozen=True)
class EvaluationFigures:
    """All figures of an evaluation."""

    guidelines: tuple[GuidelineFigures, ...]
    overall: Figures  # micro: all guidelines together
    macro_f1: float | None  # mean over the guidelines that are labelled
    macro_recall: float | None
    articles: int
    groups: int
    words: int
    verdict_accuracy: Estimate  # part of the articles whose colour is that of their labels
    score_error: Estimate  # mean absolute difference of score and score of the labels, in points
    unanchored: float | None  # part of the quotes given that aren't in the article
    checks: int
    failed: int
    incomplete: int  # reports that are partial or failed
    cost: float | None  # of all repeats
    calls: int
    input_tokens: int
    output_tokens: int
    seconds_p50: float  # for an article
    seconds_p95: float


def figures_of(evaluation: Evaluation) -> EvaluationFigures:
    rows = group_rows(evaluation.articles)
    counted = {id: counts_of(evaluation, id) for id in evaluation.guidelines}
    sums = {id: counts.by_group(rows) for id, counts in counted.items()}
    checks = sum(counts.checks for counts in counted.values())
    failed = sum(counts.failed for counts in counted.values())
    guidelines = tuple(
        GuidelineFigures(
            id,
            facts.title,
            facts.category,
            facts.severity,
            figures(id, sums[id], _part(counted[id].failed, counted[id].checks)),
        )
        for id, facts in evaluation.guidelines.items()
    )
    overall = figures("all", total(sums.values(), len(rows)), _part(failed, checks))
    given = sum(float(one["predicted"].sum()) for one in sums.values())
    unanchored = sum(counts.unanchored for counts in counted.values())
    usage = [result.usage for result in evaluation.results]
    costs = [one.cost for one in usage]
    seconds = [result.seconds for result in evaluation.results] or [0.0]
    return EvaluationFigures(
        guidelines=guidelines,
        overall=overall,
        macro_f1=_macro(guidelines, "f1"),
        macro_recall=_macro(guidelines, "recall"),
        articles=len(evaluation.articles),
        groups=len(rows),
        words=sum(article.words for article in evaluation.articles),
        verdict_accuracy=_verdicts(evaluation, rows),
        score_error=_score_error(evaluation),
        unanchored=_part(unanchored, given + unanchored) if given + unanchored else None,
        checks=checks,
        failed=failed,
        incomplete=sum(result.status != "complete" for result in evaluation.results),
        cost=None if any(cost is None for cost in costs) else sum(cost or 0.0 for cost in costs),
        calls=sum(one.calls for one in usage),
        input_tokens=sum(one.input_tokens for one in usage),
        output_tokens=sum(one.output_tokens for one in usage),
        seconds_p50=float(np.quantile(seconds, 0.5)),
        seconds_p95=float(np.quantile(seconds, 0.95)),
    )


def figures(name: str, sums: GroupSums, failed: float) -> Figures:
    """The figures of sums over article groups."""
    spurious = sums["predicted"] - sums["found"]
    return Figures(
        name=name,
        gold=float(sums["gold"].sum()),
        negatives=float(sums.negatives.sum()),
        recall=proportion(sums["found"], sums["gold"]),
        false_alarms=rate(spurious, sums.words / PER_WORDS),
        precision=proportion(sums["found"], sums["predicted"]),
        f1=proportion(2 * sums["found"], sums["gold"] + sums["predicted"]),
        exact_recall=proportion(sums["exact"], sums["gold"]),
        negatives_hit=proportion(sums.negatives_hit, sums.negatives),
        partial=partial_overlap(Tally(*(float(sums[name].sum()) for name in Tally._fields))),
        failed=failed,
    )


def confusion(evaluation: Evaluation) -> dict[str, dict[str, int]]:
    """For labelled violations of a guideline (rows), how many were marked by which guideline, or by `none`.

    One that several guidelines mark counts for each of them; with repeats all of them count.
    """
    table: dict[str, Counter[str]] = {}
    for result in evaluation.results:
        for guideline, spans in evaluation.labels[result.article].gold.items():
            for span in spans:
                marking = [
                    id
                    for id, found in result.guidelines.items()
                    if any(one.start < span.end and span.start < one.end for one in found.predicted)
                ]
                table.setdefault(guideline, Counter()).update(marking or ["none"])
    return {guideline: dict(sorted(marks.items())) for guideline, marks in sorted(table.items())}


def _macro(guidelines: tuple[GuidelineFigures, ...], name: str) -> float | None:
    values = [getattr(one.figures, name).value for one in guidelines if one.figures.is_labelled]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _verdicts(evaluation: Evaluation, rows: Mapping[str, int]) -> Estimate:
    right, seen = np.zeros(len(rows)), np.zeros(len(rows))
    for result in evaluation.results:
        labels = evaluation.labels[result.article]
        if result.status == "complete":
            seen[rows[labels.group]] += 1 / evaluation.repeats
            right[rows[labels.group]] += (result.band == labels.band) / evaluation.repeats
    return proportion(right, seen)


def _score_error(evaluation: Evaluation) -> Estimate:
    errors: dict[str, list[float]] = {}
    for result in evaluation.results:
        if result.status == "complete" and result.score is not None:
            distance = abs(result.score - evaluation.labels[result.article].score)
            errors.setdefault(result.article, []).append(distance)
    means = [sum(values) / len(values) for values in errors.values()]
    return with_student(mean(means, [evaluation.labels[id].group for id in errors]))


def _part(some: float, all_: float) -> float:
    return some / all_ if all_ else 0.0
