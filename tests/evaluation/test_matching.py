from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.matching import Span, Tally, merged, partial_overlap, semeval_2013, tally

SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 15)).map(lambda pair: Span(pair[0], pair[0] + pair[1])), max_size=8
)


def spans(*pairs: tuple[int, int]) -> list[Span]:
    return [Span(*pair) for pair in pairs]


@pytest.mark.parametrize(
    ("gold", "predicted", "found", "exact", "false_alarms"),
    [
        ([], [], 0, 0, 0),
        ([(0, 5)], [], 0, 0, 0),
        ([], [(0, 5)], 0, 0, 1),
        ([(0, 5)], [(0, 5)], 1, 1, 0),
        ([(0, 5)], [(4, 9)], 1, 0, 0),
        ([(0, 5)], [(5, 9)], 0, 0, 1),  # ends are exclusive
        ([(0, 5), (10, 15), (20, 25)], [(0, 30)], 1, 0, 0),  # the whole article finds one
        ([(0, 30)], [(0, 5), (10, 15), (20, 25)], 1, 0, 0),  # and repeats count neither way
        ([(0, 10), (8, 20)], [(0, 9), (2, 4)], 2, 0, 0),  # the pairing that finds most
        ([(0, 5), (0, 5)], [(0, 5), (0, 5)], 1, 1, 0),
    ],
)
def test_what_is_found(gold, predicted, found, exact, false_alarms):
    counted = tally(spans(*gold), spans(*predicted))
    assert (counted.found, counted.exact, counted.false_alarms) == (found, exact, false_alarms)
    assert counted.predicted == found + false_alarms


@given(SPANS, SPANS)
def test_counts_agree_with_each_other(gold, predicted):
    counted = tally(gold, predicted)
    assert counted.exact <= counted.found <= min(counted.gold, len(set(predicted)))
    assert counted.false_alarms <= len(set(predicted))
    assert tally(predicted, gold).found == counted.found


@given(SPANS)
def test_labels_as_the_answer_are_perfect(gold):
    counted = tally(gold, gold)
    assert counted.found == counted.exact == counted.predicted == counted.gold
    if gold:
        assert partial_overlap(counted) == (1, 1, 1)


def test_partial_overlap_is_that_of_the_propaganda_corpus():
    # Numbers computed by the scorer of SemEval-2020 task 11 (Da San Martino et al. 2020).
    predicted = spans((0, 50), (161, 172), (0, 10), (115, 167))
    gold = spans((0, 59), (171, 181), (0, 9), (115, 167), (740, 759))
    assert partial_overlap(tally(gold, predicted)) == pytest.approx((0.964912, 0.486864, 0.647181), abs=5e-7)


def test_what_nobody_marked_is_undefined():
    assert partial_overlap(Tally()) == (None, None, None)
    assert partial_overlap(tally(spans((0, 5)), [])) == (None, 0, None)
    assert partial_overlap(tally(spans((0, 5)), spans((9, 12)))) == (0, 0, 0)


@given(SPANS)
def test_merged_spans_are_apart_and_cover_the_same(given_spans):
    together = merged(given_spans)
    assert all(before.end <= after.start for before, after in pairwise(together))
    assert {i for s in together for i in range(*s)} == {i for s in given_spans for i in range(*s)}


def test_semeval_2013_is_that_of_nervaluate():
    # The example of nervaluate 1.2's README, whose labels are tokens of two sentences; 100 parts them.
    gold = [("PER", Span(1, 3)), ("ORG", Span(6, 8)), ("LOC", Span(101, 102)), ("PER", Span(102, 104))]
    gold += [("DATE", Span(106, 107))]
    predicted = [("PER", Span(2, 3)), ("ORG", Span(6, 8)), ("LOC", Span(101, 103)), ("PER", Span(103, 104))]
    predicted += [("DATE", Span(106, 107))]
    assert semeval_2013(gold, predicted) == pytest.approx((1.0, 0.4, 0.4, 0.7))


def test_semeval_2013_of_nothing_is_undefined():
    assert semeval_2013([], []) == (None, None, None, None)
    assert semeval_2013([("PER", Span(0, 1))], []) == (0, 0, 0, 0)
    assert semeval_2013([("PER", Span(0, 4))], [("LOC", Span(0, 4))]) == (0, 1, 0, 1)
