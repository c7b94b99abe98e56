"""Predicted spans against labelled ones, of one guideline in one article.

A labelled span is *found* when a prediction overlaps it; each prediction finds at most one, so that marking the whole
article finds one violation, not all. A prediction that overlaps no labelled span is a *false alarm*; one that overlaps
only what others have found is a repeat, and counts neither way.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching


class Span(NamedTuple):
    """Code points in an article's text, end exclusive."""

    start: int
    end: int


class Tally(NamedTuple):
    """What came of one guideline in one article. All of it adds up over articles."""

    gold: float = 0  # labelled spans
    found: float = 0  # of them, by overlap
    exact: float = 0  # of them, with both ends right
    predicted: float = 0  # predictions without repeats: found + false alarms
    false_alarms: float = 0
    merged_gold: float = 0  # labelled spans, where those that overlap are one
    gold_covered: float = 0  # sum over those of the part that is predicted (PTC)
    merged_predicted: float = 0
    predicted_covered: float = 0  # sum over merged predictions of the part that is labelled (PTC)


def tally(gold: Iterable[Span], predicted: Iterable[Span]) -> Tally:
    """Counts one guideline in one article. A span given twice counts once."""
    wanted, given = sorted(set(gold)), sorted(set(predicted))
    found = _pairs(wanted, given)
    false_alarms = sum(not any(overlap(span, other) for other in wanted) for span in given)
    merged_wanted, merged_given = merged(wanted), merged(given)
    return Tally(
        gold=len(wanted),
        found=found,
        exact=len(set(wanted) & set(given)),
        predicted=found + false_alarms,
        false_alarms=false_alarms,
        merged_gold=len(merged_wanted),
        gold_covered=_covered(merged_wanted, merged_given),
        merged_predicted=len(merged_given),
        predicted_covered=_covered(merged_given, merged_wanted),
    )


def overlap(one: Span, other: Span) -> int:
    """Code points that two spans share."""
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans with those that overlap put together, in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start < result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


class PartialOverlap(NamedTuple):
    """The measure of the propaganda technique corpus; None where nothing was predicted, or nothing labelled."""

    precision: float | None
    recall: float | None
    f1: float | None


def partial_overlap(counted: Tally) -> PartialOverlap:
    """Partial-overlap precision, recall and F1: the mean part of each merged span that the other side covers.

    Source: Da San Martino et al. 2020, SemEval-2020 task 11, section 5.
    """
    precision = counted.predicted_covered / counted.merged_predicted if counted.merged_predicted else None
    recall = counted.gold_covered / counted.merged_gold if counted.merged_gold else None
    if precision is None or recall is None:
        return PartialOverlap(precision, recall, None)
    return PartialOverlap(precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0)


class SemEval2013(NamedTuple):
    """F1 of SemEval-2013 task 9 over spans of one label or several; each in 0-1, None without any span."""

    type: float | None  # right label, some overlap
    exact: float | None  # right ends, whatever the label
    strict: float | None  # right ends and label
    partial: float | None  # right ends count 1, overlap 1/2, whatever the label


def semeval_2013(gold: Sequence[tuple[str, Span]], predicted: Sequence[tuple[str, Span]]) -> SemEval2013:
    """The four measures of SemEval-2013 task 9.1 (Segura-Bedmar et al. 2013). Each prediction meets one gold span."""
    total = len(gold) + len(predicted)
    if not total:
        return SemEval2013(None, None, None, None)
    type_ = exact = strict = partial = 0.0
    free = list(predicted)
    for label, span in gold:
        best = max(free, key=lambda p: (p[1] == span, p[0] == label, overlap(p[1], span)), default=None)
        if best is None or not overlap(best[1], span):
            continue
        free.remove(best)
        type_ += best[0] == label
        exact += best[1] == span
        strict += best == (label, span)
        partial += 1.0 if best[1] == span else 0.5
    return SemEval2013(*(2 * correct / total for correct in (type_, exact, strict, partial)))


def _pairs(gold: Sequence[Span], predicted: Sequence[Span]) -> int:
    """The most pairs of a labelled span and a prediction that overlap, each in one pair."""
    edges = [(i, j) for i, one in enumerate(gold) for j, other in enumerate(predicted) if overlap(one, other)]
    if len(edges) < 2:
        return len(edges)
    rows, columns = zip(*edges, strict=True)
    graph = csr_array(([1] * len(edges), (rows, columns)), shape=(len(gold), len(predicted)))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def _covered(spans: Sequence[Span], by: Sequence[Span]) -> float:
    return sum(sum(overlap(span, other) for other in by) / (span.end - span.start) for span in spans)
