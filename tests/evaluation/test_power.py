import numpy as np
import pytest

from evaluation.paired import Measure, score_bounds
from evaluation.power import (
    joint_power,
    mean_difference_questions,
    non_inferiority_units,
    normal_units,
    paired_units,
    smallest_margin,
    unpaired_units,
)

DROPS = (0.10, 0.05, 0.03, 0.02)


def test_pairs_needed_to_see_a_drop():
    # one-sided 5 %, 80 % power, 10 % discordance (Connor 1987)
    assert [paired_units(drop, 0.10) for drop in DROPS] == [66, 246, 685, 1544]


def test_articles_needed_where_versions_see_different_ones():
    assert [unpaired_units(drop, 0.85) for drop in DROPS] == [195, 711, 1890, 4152]  # (Fleiss 1981)


def test_joint_power_over_twenty_guidelines():
    assert pytest.approx(0.01, abs=0.002) == 0.8**20  # 80 % each is 1 % for all
    assert joint_power(0.9, 20) == pytest.approx(0.995, abs=5e-4)


@pytest.mark.parametrize(("margin", "units"), [(0.10, (88, 177)), (0.05, (353, 707))])
def test_positives_that_a_joint_promotion_takes(margin, units):
    power = joint_power(0.9, 20)
    assert tuple(round(normal_units(margin, share, power=power)) for share in (0.05, 0.10)) == units


def test_questions_to_see_three_points():
    assert mean_difference_questions(1 / 9, 0.03) == 969  # Miller 2024, section 5


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize(("margin", "discordance"), [(0.10, 0.10), (0.05, 0.10), (0.05, 0.05)])
def test_forecast_sizes_reach_their_power(measure, margin, discordance):
    units = int(np.ceil(non_inferiority_units(margin, discordance, power=0.8, measure=measure)))
    random, runs = np.random.default_rng(2), 3000
    draw = random.binomial if measure is Measure.PROPORTION else lambda n, p, size: random.poisson(n * p, size)
    gains, losses = (draw(units, discordance / 2, runs) for _ in range(2))
    low, _ = score_bounds(measure, gains, losses, np.full(runs, units), 1.644854)
    assert float((low > -margin).mean()) == pytest.approx(0.8, abs=0.05)


def test_the_smallest_margin_turns_the_size_round():
    units = non_inferiority_units(0.07, 0.1, power=0.9)
    assert smallest_margin(units, 0.1, power=0.9) == pytest.approx(0.07)
    assert smallest_margin(0.1, 0.9) == pytest.approx(1)
