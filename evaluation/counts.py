"""An evaluation as sums over article groups, the form in which figures are worked out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from evaluation.estimates import Floats
from evaluation.matching import Span, Tally, tally
from evaluation.record import ArticleLabels, Evaluation, GuidelineResult

FIELDS = Tally._fields


@dataclass(frozen=True)
class ArticleCounts:
    """One guideline in one article, averaged over the repeats in which it was checked."""

    article: str
    group: str
    tally: Tally
    words: float  # of text outside the guideline's labelled spans
    negatives: float  # hard negatives
    negatives_hit: float  # of them, overlapped by a false alarm
    checked: int  # repeats
    failed: int  # repeats in which the version had no verdict of its own
    unanchored: float


@dataclass(frozen=True)
class GuidelineCounts:
    """One guideline over a whole evaluation."""

    guideline: str
    articles: dict[str, ArticleCounts]  # those that were checked in some repeat, by id
    checks: int
    failed: int
    unanchored: float

    def by_group(self, groups: Mapping[str, int]) -> "GroupSums":
        """Sums over the articles of each group; `groups` names the row of each."""
        sums = GroupSums.empty(len(groups))
        for counts in self.articles.values():
            sums.add(groups[counts.group], counts)
        return sums


@dataclass(frozen=True)
class GroupSums:
    """Arrays with one element an article group."""

    tallies: dict[str, Floats]
    words: Floats
    negatives: Floats
    negatives_hit: Floats
    size: int = field(default=0)

    @classmethod
    def empty(cls, size: int) -> "GroupSums":
        fields = {name: np.zeros(size) for name in FIELDS}
        return cls(fields, np.zeros(size), np.zeros(size), np.zeros(size), size)

    def add(self, row: int, counts: ArticleCounts) -> None:
        for name, value in zip(FIELDS, counts.tally, strict=True):
            self.tallies[name][row] += value
        self.words[row] += counts.words
        self.negatives[row] += counts.negatives
        self.negatives_hit[row] += counts.negatives_hit

    def __getitem__(self, name: str) -> Floats:
        return self.tallies[name]


def total(sums: Iterable[GroupSums], size: int) -> GroupSums:
    """Several guidelines together."""
    result = GroupSums.empty(size)
    for one in sums:
        for name in FIELDS:
            result.tallies[name][:] += one.tallies[name]
        result.words[:] += one.words
        result.negatives[:] += one.negatives
        result.negatives_hit[:] += one.negatives_hit
    return result


def group_rows(articles: Iterable[ArticleLabels]) -> dict[str, int]:
    """A row for each article group, in order of appearance."""
    return {group: row for row, group in enumerate(dict.fromkeys(article.group for article in articles))}


def counts_of(evaluation: Evaluation, guideline: str, articles: Iterable[str] | None = None) -> GuidelineCounts:
    """The counts of one guideline, over all articles or the named ones."""
    wanted = None if articles is None else set(articles)
    by_article: dict[str, list[GuidelineResult]] = {}
    for result in evaluation.results:
        if (wanted is None or result.article in wanted) and guideline in result.guidelines:
            by_article.setdefault(result.article, []).append(result.guidelines[guideline])
    counted: dict[str, ArticleCounts] = {}
    checks = failed = 0
    unanchored = 0.0
    for id, results in by_article.items():
        one = _article(evaluation.labels[id], guideline, results)
        checks += one.checked + one.failed
        failed += one.failed
        unanchored += one.unanchored
        if one.checked:
            counted[id] = one
    return GuidelineCounts(guideline, counted, checks, failed, unanchored)


def _article(labels: ArticleLabels, guideline: str, results: list[GuidelineResult]) -> ArticleCounts:
    gold = labels.gold.get(guideline, ())
    negatives = labels.negatives.get(guideline, ())
    checked = [result for result in results if result.checked]
    tallies = [tally(gold, result.predicted) for result in checked]
    mean = Tally(*(sum(values) / len(checked) for values in zip(*tallies, strict=True))) if checked else Tally()
    hits = [sum(_hit(span, result.predicted) for span in negatives) for result in checked]
    return ArticleCounts(
        article=labels.id,
        group=labels.group,
        tally=mean,
        words=labels.free_words(guideline),
        negatives=len(negatives),
        negatives_hit=sum(hits) / len(checked) if checked else 0.0,
        checked=len(checked),
        failed=sum(not result.checked and result.verdict != "not_applicable" for result in results),
        unanchored=sum(result.unanchored for result in checked) / len(checked) if checked else 0.0,
    )


def _hit(span: Span, predicted: Iterable[Span]) -> bool:
    return any(one.start < span.end and span.start < one.end for one in predicted)
