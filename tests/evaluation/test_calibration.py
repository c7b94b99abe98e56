import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from evaluation.calibration import Pair, calibrate, verdict


def pairs(both: int, person: int, judge: int, neither: int, *, per_group: int = 1) -> list[Pair]:
    """Counts of findings good by both, by one of them, by neither; so many in a row stand in one article."""
    said = [(True, True)] * both + [(True, False)] * person + [(False, True)] * judge + [(False, False)] * neither
    return [Pair(f"g{n // per_group}", *one) for n, one in enumerate(said)]


@pytest.mark.parametrize("counts", [(20, 5, 10, 15), (45, 15, 25, 15), (3, 0, 1, 96), (0, 10, 10, 0)])
def test_kappa_is_that_of_statsmodels(counts: tuple[int, int, int, int]):
    found = calibrate(pairs(*counts))
    assert found.kappa == pytest.approx(cohens_kappa(np.reshape(counts, (2, 2))).kappa)
    assert found.agreement.value == pytest.approx((counts[0] + counts[3]) / sum(counts))


def test_its_interval_is_that_of_large_samples_where_findings_are_independent():
    found = calibrate(pairs(200, 50, 100, 150))
    oracle = cohens_kappa([[200, 50], [100, 150]])
    assert found.low == pytest.approx(oracle.kappa_low, abs=0.01)
    assert found.high == pytest.approx(oracle.kappa_upp, abs=0.01)


def test_findings_of_one_article_say_less():
    alone, together = calibrate(pairs(60, 10, 10, 60)), calibrate(pairs(60, 10, 10, 60, per_group=5))
    assert alone.low is not None
    assert together.low is not None
    assert together.kappa == alone.kappa
    assert together.low < alone.low - 0.03


def test_a_judge_that_finds_all_good_is_right_by_chance():
    found = calibrate(pairs(90, 0, 10, 0))
    assert (found.agreement.value, found.kappa) == (0.9, 0)
    assert not found.trusted


@pytest.mark.parametrize(
    ("counts", "trusted", "said"),
    [
        ((50, 1, 1, 30), True, "may be trusted: kappa 0.95"),
        ((50, 8, 8, 30), False, "not to be trusted: kappa 0.65"),
        ((50, 0, 0, 9), False, "not enough to tell: 50 good and 9 bad by a person in 59 article groups"),
        ((50, 0, 30, 0), False, "not to be trusted: kappa 0.00"),
        ((30, 0, 0, 0), False, "not enough to tell: 30 good and 0 bad"),
    ],
)
def test_trust_takes_a_kappa_that_is_surely_high(counts: tuple[int, int, int, int], trusted: bool, said: str):
    found = calibrate(pairs(*counts))
    assert found.trusted is trusted
    assert verdict(found).startswith(said)


def test_all_in_few_articles_are_not_enough_however_right():
    found = calibrate(pairs(50, 0, 0, 50, per_group=10))
    assert (found.kappa, found.groups, found.trusted) == (1, 10, False)


def test_without_a_person_it_is_uncalibrated():
    assert verdict(None).startswith("uncalibrated")
