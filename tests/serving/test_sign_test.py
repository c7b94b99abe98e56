"""The sequential test of paired differences."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from serving.sign_test import Evidence, e_value, evidence

ALPHA = 0.05


@pytest.mark.parametrize(("this_way", "other_way"), [(0, 0), (1, 0), (0, 1), (5, 3), (20, 8)])
def test_it_is_the_mixture_that_it_says(this_way: int, other_way: int) -> None:
    def bets(p: float) -> float:
        return float(2 * (2 * p) ** this_way * (2 * (1 - p)) ** other_way)

    mixed, _ = integrate.quad(bets, 0.5, 1)
    assert e_value(this_way, other_way) == pytest.approx(mixed)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_fair_coin_makes_nothing_of_it_on_average(this_way: int, other_way: int) -> None:
    after = (e_value(this_way + 1, other_way) + e_value(this_way, other_way + 1)) / 2
    assert after == pytest.approx(e_value(this_way, other_way))


def test_a_coin_against_it_only_loses() -> None:
    now = e_value(10, 10)
    assert 0.3 * e_value(11, 10) + 0.7 * e_value(10, 11) < now


def test_articles_without_a_difference_say_nothing() -> None:
    assert evidence([0, 0, -1, 0, 1]) == Evidence(1, 1, e_value(1, 1), e_value(1, 0))
    assert evidence([]) == Evidence(0, 0, 1.0, 1.0)


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=120))
def test_article_by_article_it_is_what_it_is_anew(signs: list[int]) -> None:
    less = [signs[:end].count(-1) for end in range(len(signs) + 1)]
    more = [signs[:end].count(1) for end in range(len(signs) + 1)]
    values = [e_value(*pair) for pair in zip(less, more, strict=True)]
    assert evidence(signs) == Evidence(less[-1], more[-1], values[-1], max(values))


@pytest.mark.timeout(60)  # anew for each article it takes many minutes
def test_twenty_thousand_articles_are_no_work() -> None:
    assert evidence([-1, 1] * 10_000) == Evidence(10_000, 10_000, e_value(10_000, 10_000), e_value(1, 0))


def test_what_it_has_reached_counts_whatever_comes_then() -> None:
    found = evidence([-1] * 8 + [1] * 8)
    assert found.rejects(ALPHA)
    assert not evidence([-1, 1] * 8).rejects(ALPHA)
    assert not evidence([-1] * 8).rejects(ALPHA, tests=20)


def test_thousands_of_articles_are_no_overflow() -> None:
    assert math.isfinite(e_value(1500, 1500))
    assert e_value(3000, 0) == math.inf


@pytest.mark.parametrize("chance", [0.5, 0.3])
def test_looking_after_every_article_gives_5_percent_of_false_alarms_at_most(chance: float) -> None:
    rng, highest = random.Random(7), 0
    table = {pair: e_value(*pair) for pair in itertools.product(range(151), repeat=2) if sum(pair) <= 150}
    for _ in range(1000):
        less = more = 0
        for _ in range(150):
            less, more = (less + 1, more) if rng.random() < chance else (less, more + 1)
            if table[less, more] >= 1 / ALPHA:
                highest += 1
                break
    assert highest / 1000 <= ALPHA
