import numpy as np
import pytest

from evaluation.claims import Claim, Verdict, rule
from evaluation.comparison import NotComparable, Status, compare
from evaluation.gate import Decision, Outcome, decide
from evaluation.paired import Measure, Paired
from evaluation.policy import Floors, Margins, Policy, Tier
from evaluation.record import Evaluation
from tests.evaluation.build import evaluation, facts, labels, result

MARGINS = Margins(recall=0.1, false_alarms=0.5)
POLICY = Policy(
    name="test",
    tiers={"breach": Tier.CRITICAL, "warning": Tier.SUPPORTING, "advice": Tier.ADVISORY},
    margins=dict.fromkeys(Tier, MARGINS),
    resamples=500,
    injection_slice="",
)
SIZE = 200


def version(
    number: str,
    *,
    misses: int = 0,
    alarms: int = 0,
    failed: int = 0,
    seconds: float = 1.0,
    guideline: str = "g",
    severity: str = "breach",
    digest: str = "",
    set_digest: str = "d" * 64,
) -> Evaluation:
    """A version on SIZE articles with a violation each; it misses the first, and raises alarms in the first."""
    articles = [labels(str(n), {guideline: [(0, 5)]}) for n in range(SIZE)]
    results = []
    for n in range(SIZE):
        found = [(0, 5)] * (n >= misses) + [(50, 55)] * (n < alarms)
        if n >= SIZE - failed:
            results.append(result(str(n), {}, failed=(guideline,), seconds=seconds))
        else:
            results.append(result(str(n), {guideline: found}, seconds=seconds))
    guidelines = {guideline: facts(digest or number, severity=severity)}
    return evaluation(articles, results, guidelines, number=number, set_digest=set_digest)


def texts(decision: Decision, weight: str) -> list[str]:
    return [reason.text for reason in decision.reasons if reason.weight == weight]


def test_an_equal_challenger_is_promoted():
    decision = decide(version("1"), version("2"), POLICY)
    assert decision.outcome is Outcome.PROMOTE
    assert [ruling.verdict for ruling in decision.rulings] == [Verdict.NO_WORSE, Verdict.NO_WORSE]


def test_a_lost_critical_guideline_blocks():
    decision = decide(version("1"), version("2", misses=60), POLICY)
    assert decision.outcome is Outcome.BLOCK
    assert decision.rulings[0].verdict is Verdict.WORSE
    assert texts(decision, "against") == ["g: recall worse by 30.0 points, surely more than the margin of 10.0 points."]


def test_new_false_alarms_block():
    decision = decide(version("1"), version("2", alarms=60), POLICY)
    assert decision.outcome is Outcome.BLOCK
    assert [ruling.verdict for ruling in decision.rulings] == [Verdict.NO_WORSE, Verdict.WORSE]


def test_a_small_sure_loss_blocks_where_it_is_critical_only():
    policy = POLICY.model_copy(update={"margins": dict.fromkeys(Tier, Margins(recall=0.3, false_alarms=1))})
    decision = decide(version("1"), version("2", misses=20), policy)
    assert decision.rulings[0].verdict is Verdict.DROP
    assert decision.outcome is Outcome.BLOCK
    decision = decide(version("1", severity="warning"), version("2", misses=20, severity="warning"), policy)
    assert decision.outcome is Outcome.PROMOTE
    assert any("surely less than the margin" in text for text in texts(decision, "note"))


def test_an_advisory_guideline_is_reported_and_decides_nothing():
    decision = decide(version("1", severity="advice"), version("2", misses=100, severity="advice"), POLICY)
    assert decision.outcome is Outcome.PROMOTE
    assert "g: recall worse by 50.0 points, surely more than the margin of 10.0 points." in texts(decision, "note")


def test_too_few_labels_say_nothing():
    articles = [labels(str(n), {"g": [(0, 5)]}) for n in range(12)]
    one, two = (
        evaluation(articles, [result(a.id, {"g": [(0, 5)]}) for a in articles], {"g": facts(n)}, number=n) for n in "12"
    )
    decision = decide(one, two, POLICY)
    assert decision.outcome is Outcome.INCONCLUSIVE
    recall = decision.rulings[0]
    assert (recall.verdict, recall.missing > 8) == (Verdict.NOT_ENOUGH, True)
    assert any("not enough data" in text and "more labelled article groups" in text for text in texts(decision, "open"))


def test_a_guideline_without_a_label_cannot_be_judged():
    articles = [labels(str(n), {}) for n in range(100)]
    one, two = (
        evaluation(articles, [result(a.id, {"g": []}) for a in articles], {"g": facts(n)}, number=n) for n in "12"
    )
    decision = decide(one, two, POLICY)
    assert texts(decision, "open") == ["g: recall can't be judged: this set has no label of it."]


def test_what_did_not_change_leaves_the_family():
    wavering = version("2", misses=100, digest="same")
    decision = decide(version("1", digest="same"), wavering, POLICY)
    assert decision.rulings == ()
    assert decision.outcome is Outcome.PROMOTE


def test_a_critical_guideline_that_is_gone_blocks():
    decision = decide(version("1"), version("2", guideline="h"), POLICY)
    assert decision.outcome is Outcome.BLOCK
    assert "Guideline 'g' is not in the challenger" in texts(decision, "against")[0]
    assert decision.comparison is not None
    assert [c.status for c in decision.comparison.guidelines] == [Status.ADDED, Status.REMOVED]


@pytest.mark.parametrize(
    ("misses", "outcome"), [(0, Outcome.PROMOTE), (55, Outcome.INCONCLUSIVE), (150, Outcome.BLOCK)]
)
def test_a_first_champion_is_held_to_the_floors(misses, outcome):
    policy = POLICY.model_copy(update={"floors": {Tier.CRITICAL: Floors(recall=0.7, false_alarms=1)}})
    assert decide(None, version("1", misses=misses), policy).outcome is outcome


def test_floors_hold_for_a_challenger_too():
    policy = POLICY.model_copy(update={"floors": {Tier.CRITICAL: Floors(recall=0.7)}})
    decision = decide(version("1", misses=150), version("2", misses=150), policy)
    assert decision.outcome is Outcome.BLOCK
    assert "surely beyond the floor of 0.7" in texts(decision, "against")[0]


def test_too_many_failed_checks_block():
    decision = decide(version("1"), version("2", failed=10), POLICY)
    assert "10 of 200 checks failed or fell back (5.0%), over the limit of 1.0%." in texts(decision, "against")
    assert any("10 articles that only one version could check" in text for text in texts(decision, "note"))


def test_a_slower_challenger_blocks():
    decision = decide(version("1", seconds=1), version("2", seconds=2), POLICY)
    assert texts(decision, "against") == ["p95 latency is 2.00 times the champion's, over the limit of 1.25."]


def test_looks_at_a_set_are_counted():
    decision = decide(version("1"), version("2"), POLICY, looks=20)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "has decided 20 times, and the policy trusts 20" in texts(decision, "open")[0]


def test_articles_that_talk_to_the_model_are_judged_apart():
    policy = POLICY.model_copy(
        update={"injection_slice": "injection", "margins": dict.fromkeys(Tier, Margins(recall=0.6, false_alarms=1))}
    )

    def sliced(one: Evaluation, size: int = 40) -> Evaluation:
        marked = [a.model_copy(update={"slices": ("injection",)}) if int(a.id) < size else a for a in one.articles]
        return one.model_copy(update={"articles": tuple(marked)})

    before, after = version("1", severity="advice"), version("2", misses=35, severity="advice")
    decision = decide(sliced(before), sliced(after), policy)
    assert decision.outcome is Outcome.BLOCK
    assert texts(decision, "against")[0].startswith("injection: recall worse by 87.5 points")
    few = decide(sliced(before, 5), sliced(version("2", severity="advice"), 5), policy)
    assert few.outcome is Outcome.PROMOTE
    assert any("hold 5 labelled violations of what changed: too few" in text for text in texts(few, "note"))


def test_only_the_same_articles_compare():
    with pytest.raises(NotComparable, match=r"version 1 was evaluated on house test \(dddddddddddd\), version 2 on"):
        compare(version("1"), version("2", set_digest="e" * 64))


def test_verdicts_by_mcnemar_count_what_only_one_gets_right():
    comparison = compare(version("1"), version("2"))
    assert (comparison.verdicts_lost, comparison.verdicts_won, comparison.mcnemar_p) == (0, 0, None)


def claims(random: np.random.Generator, drop: float, *, size: int = 208, family: int = 20) -> list[Claim]:
    """A family of critical guidelines of which the first loses `drop`; the rest change as often to either side."""
    made = []
    for n in range(family):
        lost = drop if n == 0 else 0.0
        share = max(0.1, lost + 0.02)
        drawn = random.random(size)
        losses = (drawn < (share + lost) / 2).astype(float)
        gains = ((drawn >= (share + lost) / 2) & (drawn < share)).astype(float)
        pair = Paired(str(n), Measure.PROPORTION, np.ones(size), gains, losses)
        made.append(Claim(pair, 0.1, Tier.CRITICAL, deciding=True))
    return made


@pytest.mark.parametrize(
    ("drop", "promoted", "blocked"),
    [(0.0, (0.82, 1.0), (0.0, 0.12)), (0.1, (0.0, 0.1), (0, 1)), (0.2, (0, 0), (0.8, 1))],
)
def test_how_often_a_gate_decides_right(drop, promoted, blocked):
    """The short form of the simulation in `make bench`, at the size that `power` forecasts for 20 guidelines."""
    random, runs = np.random.default_rng(4), 60
    promotions = blocks = 0
    for _ in range(runs):
        rulings = rule(claims(random, drop), POLICY)
        is_blocked = any(ruling.verdict is Verdict.WORSE or ruling.surely_a_loss for ruling in rulings)
        blocks += is_blocked
        promotions += not is_blocked and all(ruling.verdict is Verdict.NO_WORSE for ruling in rulings)
    assert promoted[0] <= promotions / runs <= promoted[1]
    assert blocked[0] <= blocks / runs <= blocked[1]


def test_a_challenger_that_calls_a_guideline_advice_is_judged_as_strictly_as_before():
    decision = decide(version("1"), version("2", misses=60, severity="advice"), POLICY)
    assert decision.outcome is Outcome.BLOCK


def test_what_the_challenger_could_not_check_is_lost():
    decision = decide(version("1"), version("2", failed=40), POLICY)
    assert decision.outcome is Outcome.BLOCK
    assert decision.rulings[0].change == pytest.approx(-0.2)


def test_a_policy_that_names_a_guideline_nobody_has_is_to_be_mended():
    policy = POLICY.model_copy(update={"guidelines": {"defamaton": Tier.CRITICAL}})
    decision = decide(version("1"), version("2"), policy)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "'defamaton', which neither version has" in texts(decision, "open")[0]
