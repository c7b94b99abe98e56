import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.score import Band
from evaluation.matching import Span
from evaluation.metrics import confusion, figures_of
from tests.evaluation.build import evaluation, facts, labels, result

GUIDELINES = {"g": facts(), "h": facts(severity="advice")}


def test_figures_of_a_small_evaluation():
    articles = [labels("a", {"g": [(0, 5), (20, 25)]}), labels("b", {"g": [(3, 9)]}), labels("c", {})]
    results = [
        result("a", {"g": [(0, 5), (40, 45)], "h": []}),
        result("b", {"g": [(2, 8)], "h": []}),
        result("c", {"g": [], "h": [(1, 2)]}),
    ]
    figures = figures_of(evaluation(articles, results, GUIDELINES))
    g, h = (one.figures for one in figures.guidelines)
    assert (g.recall.value, g.precision.value, g.f1.value) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert g.exact_recall.value == pytest.approx(1 / 3)
    assert g.false_alarms.value == pytest.approx(1 / 0.3)
    assert (h.recall.value, h.precision.value, h.f1.value) == (None, 0, 0)
    assert figures.overall.recall.value == pytest.approx(2 / 3)
    assert figures.overall.precision.value == pytest.approx(2 / 4)
    assert figures.macro_f1 == pytest.approx(2 / 3)
    assert (figures.articles, figures.groups, figures.words, figures.checks) == (3, 3, 300, 6)


@given(st.lists(st.lists(st.integers(0, 20), max_size=4, unique=True), min_size=2, max_size=10))
def test_labels_as_the_answer_are_perfect(starts):
    spans = [[(start * 10, start * 10 + 5) for start in article] for article in starts]
    articles = [labels(str(n), {"g": one}) for n, one in enumerate(spans)]
    results = [result(str(n), {"g": one}) for n, one in enumerate(spans)]
    figures = figures_of(evaluation(articles, results)).overall
    if any(spans):
        assert (figures.recall.value, figures.precision.value, figures.f1.value) == (1, 1, 1)
        assert (figures.exact_recall.value, figures.partial.f1) == (1, 1)
    assert figures.false_alarms.value == 0


def test_a_share_dropped_and_a_share_shifted_come_out_as_predicted():
    articles = [labels(str(n), {"g": [(100, 110)]}) for n in range(40)]
    answers: list[list[tuple[int, int]]] = [[]] * 10 + [[(105, 115)]] * 10 + [[(110, 120)]] * 4 + [[(100, 110)]] * 16
    figures = figures_of(evaluation(articles, [result(str(n), {"g": one}) for n, one in enumerate(answers)])).overall
    assert figures.recall.value == pytest.approx(26 / 40)  # shifted by half is found, shifted out is not
    assert figures.precision.value == pytest.approx(26 / 30)
    assert figures.exact_recall.value == pytest.approx(16 / 40)
    assert figures.partial.recall == pytest.approx((10 * 0.5 + 16) / 40)
    assert figures.partial.precision == pytest.approx((10 * 0.5 + 16) / 30)
    assert figures.false_alarms.value == pytest.approx(4 / 4)


def test_a_failed_check_is_never_clear():
    articles = [labels("a", {"g": [(0, 5)]}), labels("b", {"g": [(0, 5)]})]
    results = [result("a", {"g": [(0, 5)]}), result("b", {}, failed=("g",))]
    figures = figures_of(evaluation(articles, results))
    assert figures.overall.recall.value == 1
    assert (figures.overall.gold, figures.checks, figures.failed, figures.incomplete) == (1, 2, 1, 1)
    assert figures.overall.failed == 0.5
    assert figures.verdict_accuracy.weight == 1  # a partial report has no colour to compare


def test_repeats_are_averaged_within_their_article():
    articles = [labels("a", {"g": [(0, 5)]}), labels("b", {"g": [(0, 5)]})]
    repeated: dict[str, list[list[tuple[int, int]]]] = {"a": [[(0, 5)], []], "b": [[(0, 5)], [(0, 5)]]}
    results = [result(id, {"g": ans[n]}, repeat=n) for id, ans in repeated.items() for n in range(2)]
    figures = figures_of(evaluation(articles, results)).overall
    assert figures.recall.value == pytest.approx(3 / 4)
    assert figures.gold == 2  # two violations, not four


def test_hard_negatives_that_are_marked():
    one = labels("a", {}).model_copy(update={"negatives": {"g": (Span(0, 5), Span(10, 15))}})
    figures = figures_of(evaluation([one], [result("a", {"g": [(11, 12)]})])).overall
    assert (figures.negatives, figures.negatives_hit.value) == (2, 0.5)


def test_words_inside_a_violation_take_no_false_alarm():
    one = labels("a", {"g": [(0, 50)]}, words=100).model_copy(update={"labelled_words": {"g": 20}})
    figures = figures_of(evaluation([one], [result("a", {"g": [(60, 65)]})])).overall
    assert figures.false_alarms.value == pytest.approx(1 / 0.08)


def test_colours_and_scores_against_the_labels():
    articles = [labels("a", {}), labels("b", {}).model_copy(update={"score": 70.0, "band": Band.AMBER})]
    figures = figures_of(evaluation(articles, [result("a", {"g": []}), result("b", {"g": []})]))
    assert figures.verdict_accuracy.value == 0.5
    assert figures.score_error.value == 15.0


def test_quotes_that_are_not_in_the_article():
    one = result("a", {"g": [(0, 5)]})
    lost = one.guidelines["g"].model_copy(update={"unanchored": 3})
    figures = figures_of(evaluation([labels("a", {})], [one.model_copy(update={"guidelines": {"g": lost}})]))
    assert figures.unanchored == pytest.approx(3 / 4)


def test_confusion_says_who_marked_what():
    articles = [labels("a", {"g": [(0, 5), (10, 15)], "h": [(30, 35)]})]
    results = [result("a", {"g": [(0, 5)], "h": [(3, 8), (11, 12)]})]
    assert confusion(evaluation(articles, results, GUIDELINES)) == {"g": {"g": 1, "h": 2}, "h": {"none": 1}}
