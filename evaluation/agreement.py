"""How far annotators agree: Krippendorff's alpha on sentences, and F1 of one's spans against another's.

Only articles that two named annotators have read say anything, and unlabelled sentences count: who read an article
and labelled nothing in it stands in its `annotators`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import krippendorff
import numpy as np
from numpy.typing import NDArray

from agent.sentences import sentences
from evaluation.estimates import Estimate, proportion
from evaluation.labels import LabelError, LabelledArticle, LabelledSet
from evaluation.matching import Span, overlap, tally

Ratings = NDArray[np.float64]  # a row an annotator, a column a unit, NaN where one didn't rate it


class Match(NamedTuple):
    """F1 of one annotator's spans against another's, the same both ways, with its interval over groups."""

    overlap: Estimate  # spans that share characters, each in one pair
    exact: Estimate  # spans with the same ends


@dataclass(frozen=True, slots=True)
class GuidelineAgreement:
    """Agreement about one guideline."""

    guideline: str
    annotators: int  # of the articles that two have read
    sentences: int  # read by two or more
    labels: int  # of all annotators, in those articles
    alpha: float | None  # None where all say the same of every sentence: nothing to tell apart
    match: Match  # over all pairs of annotators


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Agreement of two annotators over all guidelines."""

    one: str
    other: str
    articles: int  # read by both
    match: Match


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement in a labelled set."""

    articles: int  # read by two or more
    guidelines: tuple[GuidelineAgreement, ...]
    pairs: tuple[PairAgreement, ...]


def agreement(labelled: LabelledSet) -> Agreement:
    """Raises LabelError for a set without an article that two annotators have read."""
    articles = [article for article in labelled.articles if len(article.readers) > 1]
    if not articles:
        raise LabelError(
            f"set {labelled.name!r} has no article that two annotators have read: name them in its labels' "
            "`annotator`, or the article's `annotators`"
        )
    guidelines = sorted({span.guideline for article in articles for span in article.spans})
    names = sorted({name for article in articles for name in article.readers})
    pairs = [(pair, _read_by(pair, articles)) for pair in combinations(names, 2)]
    return Agreement(
        articles=len(articles),
        guidelines=tuple(_of_guideline(guideline, articles, names) for guideline in guidelines),
        pairs=tuple(
            PairAgreement(*pair, len(read), _match([(article, pair) for article in read], guidelines))
            for pair, read in pairs
            if read
        ),
    )


def alpha(ratings: Ratings, level: Literal["nominal", "interval"] = "nominal") -> float | None:
    """Krippendorff's alpha; None where no two ratings of one unit can be compared, or all of those are the same."""
    compared = ratings[:, (~np.isnan(ratings)).sum(axis=0) > 1]
    if np.unique(compared[~np.isnan(compared)]).size < 2:
        return None
    return float(krippendorff.alpha(reliability_data=compared, level_of_measurement=level))


def _of_guideline(guideline: str, articles: Sequence[LabelledArticle], names: Sequence[str]) -> GuidelineAgreement:
    ratings = np.hstack([_ratings(article, guideline, names) for article in articles])
    pairs = [(article, pair) for article in articles for pair in combinations(article.readers, 2)]
    return GuidelineAgreement(
        guideline=guideline,
        annotators=len(names),
        sentences=ratings.shape[1],
        labels=sum(len(_spans(article, name, guideline)) for article in articles for name in article.readers),
        alpha=alpha(ratings),
        match=_match(pairs, [guideline]),
    )


def _ratings(article: LabelledArticle, guideline: str, names: Sequence[str]) -> Ratings:
    """1 for a sentence that an annotator has labelled a part of, 0 for another, NaN in what one hasn't read."""
    units = [
        Span(paragraph.start + start, paragraph.start + end)
        for paragraph in article.article.paragraphs
        for start, end in sentences(paragraph.text)
    ]
    ratings = np.full((len(names), len(units)), np.nan)
    for row, name in enumerate(names):
        if name in article.readers:
            spans = _spans(article, name, guideline)
            ratings[row] = [any(overlap(unit, span) for span in spans) for unit in units]
    return ratings


def _match(compared: Iterable[tuple[LabelledArticle, tuple[str, str]]], guidelines: Sequence[str]) -> Match:
    """F1 is twice the pairs of spans over all spans; articles of one group vary together."""
    counts: dict[str, list[int]] = {}
    for article, (one, other) in compared:
        group = counts.setdefault(article.group, [0, 0, 0])
        for guideline in guidelines:
            a, b = _spans(article, one, guideline), _spans(article, other, guideline)
            counted = tally(a, b)
            group[0] += 2 * int(counted.found)
            group[1] += 2 * int(counted.exact)
            group[2] += len(a) + len(b)
    found, exact, spans = zip(*counts.values(), strict=True)
    return Match(proportion(found, spans), proportion(exact, spans))


def _spans(article: LabelledArticle, annotator: str, guideline: str) -> set[Span]:
    wanted = (annotator, guideline)
    return {Span(span.start, span.end) for span in article.spans if (span.annotator, span.guideline) == wanted}


def _read_by(pair: tuple[str, str], articles: Iterable[LabelledArticle]) -> list[LabelledArticle]:
    return [article for article in articles if set(pair) <= set(article.readers)]
