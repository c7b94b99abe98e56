import numpy as np
import pytest

from evaluation.comparison import compare
from evaluation.noise import components, noise_of, recall_table
from tests.evaluation.build import evaluation, facts, labels, result


def test_variance_is_split_into_article_run_and_residual():
    random = np.random.default_rng(6)
    articles, runs = 4000, 60
    table = random.normal(0, 3, (articles, 1)) + random.normal(0, 2, (1, runs)) + random.normal(0, 1, (articles, runs))
    noise = components(table)
    assert (noise.article, noise.residual) == pytest.approx((9, 1), rel=0.08)
    assert noise.run == pytest.approx(4, rel=0.5)  # of 60 runs only


def test_a_table_worked_out_by_hand():
    noise = components(np.array([[1.0, 2.0], [3.0, 6.0]]))
    # sums of squares: rows 9, columns 4, rest 1, each with one degree of freedom
    assert (noise.article, noise.run, noise.residual) == pytest.approx((4, 1.5, 1))
    assert noise.floor == pytest.approx(1.959964 * (2 * (1.5 + 1 / 2) / 2) ** 0.5)


def test_two_runs_of_one_version_stay_under_the_floor():
    random, under, tries = np.random.default_rng(9), 0, 300
    for _ in range(tries):
        both = [
            0.5 + random.normal(0, 0.05, (1, 8)) + random.normal(0, 0.3, (200, 8)) for _ in range(2)
        ]  # 8 repeats each
        difference = abs(both[0].mean() - both[1].mean())
        under += difference < components(both[0]).floor
    assert 0.88 <= under / tries <= 0.99


def test_the_floor_is_that_of_each_guideline_with_repeats():
    articles = [labels(str(n), {"g": [(0, 5)]}) for n in range(4)]
    wavering = [
        result(str(n), {"g": [(0, 5)] if (n + repeat) % 2 else []}, repeat=repeat)
        for repeat in range(2)
        for n in range(4)
    ]
    steady = [result(str(n), {"g": [(0, 5)]}) for n in range(4)]
    before = evaluation(articles, wavering, {"g": facts("1")})
    after = evaluation(articles, steady, {"g": facts("2")}, number="2")
    assert recall_table(before, "g").tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]
    floors = noise_of(compare(before, after))
    assert list(floors) == ["g"]
    assert floors["g"] > 0
    assert noise_of(compare(after, after)) == {}
