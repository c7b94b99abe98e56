"""The state machine of a rollout, by itself."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from serving.rollout import (
    Decision,
    Evidence,
    JobFacts,
    Rollout,
    RolloutPolicy,
    State,
    Step,
    decide,
    p95,
    share_of,
)
from tests.serving.build import NOW
from tests.serving.rollouts import POLICY, job_facts, rollout, simulated

LATER = NOW + timedelta(hours=1)


def jobs(count: int, *, first: int = 0, **fields: Any) -> tuple[JobFacts, ...]:
    return tuple(job_facts(f"d{number}", **fields) for number in range(first, first + count))


GOOD, MANY = jobs(20), jobs(180)


@pytest.mark.parametrize(
    ("challenger", "champion", "step", "said"),
    [
        (jobs(19, broken=True, failed=10), MANY, Step.STAY, ""),
        (GOOD, MANY, Step.ADVANCE, "20 jobs at 10% and nothing against it"),
        (jobs(20, broken=True), MANY, Step.ABORT, "jobs with gaps: 100.0% of 20, of the champion 0.0% of 180"),
        (jobs(10) + jobs(10, first=10, failed=4), MANY, Step.ABORT, "failed checks: 20.0% of 200"),
        (jobs(19) + jobs(1, first=19, broken=True, failed=1), MANY, Step.ADVANCE, "nothing against it"),
        (jobs(20, unanchored=3), MANY, Step.ABORT, "quotes that aren't in the article: 60.0% of 100"),
        (jobs(20, seconds=2.0), MANY, Step.ABORT, "jobs over 1.5 s, 1.5 times the champion's p95,: 100.0% of 20"),
        (jobs(20, seconds=1.4), MANY, Step.ADVANCE, "nothing against it"),
        (jobs(20, seconds=130), jobs(180, seconds=110), Step.ABORT, "jobs over 120 s: 100.0% of 20, surely more"),
        (jobs(20, broken=True), jobs(180, broken=True), Step.HOLD, "and it isn't the version"),
        (jobs(20, broken=True, failed=9), jobs(180, broken=True), Step.ABORT, "failed checks: 90.0% of 200"),
        (jobs(20, broken=True), (), Step.ABORT, "jobs with gaps: 100.0% of 20, surely more than 20%"),
        (jobs(400, broken=True), jobs(1, broken=True), Step.ABORT, "100.0% of 400, surely more than 20%"),
        (jobs(400, seconds=2.0), jobs(2, seconds=0.1), Step.ADVANCE, "nothing against it"),
    ],
)
def test_what_a_look_comes_to(
    challenger: tuple[JobFacts, ...], champion: tuple[JobFacts, ...], step: Step, said: str
) -> None:
    decision = decide(rollout(), Evidence(champion, challenger), LATER)
    assert decision.step is step
    assert said in decision.reason


@pytest.mark.parametrize("state", [State.RUNNING, State.HELD, State.FINISHED])
def test_a_handful_of_the_champions_jobs_keeps_nobody_with_a_bad_challenger(state: State) -> None:
    last = rollout(stage=2, state=state)
    decision = decide(last, Evidence(jobs(1, broken=True), jobs(400, broken=True)), LATER)
    assert decision == Decision(Step.ABORT, "jobs with gaps: 100.0% of 400, surely more than 20%", looked=True)
    assert last.after(decision, LATER).share == 0


@pytest.mark.parametrize("state", [State.HELD, State.FINISHED])
def test_nobody_may_be_looking_at_one_that_is_held_or_finished(state: State) -> None:
    both = Evidence(jobs(180, broken=True), jobs(20, broken=True))
    decision = decide(rollout(state=state), both, LATER)
    assert (decision.step, f"nobody may be looking, because it is {state}" in decision.reason) == (Step.ABORT, True)
    assert decide(rollout(state=state), Evidence(MANY, GOOD), LATER) == Decision(Step.STAY, looked=True)


def test_it_advances_only_after_its_time_and_with_enough_jobs() -> None:
    patient = rollout(policy=POLICY.model_copy(update={"least_jobs": 30}))
    assert decide(patient, Evidence(MANY, GOOD), LATER) == Decision(Step.STAY, looked=True)
    assert decide(rollout(), Evidence(MANY, GOOD), NOW) == Decision(Step.STAY, looked=True)


def test_between_looks_nothing_is_decided() -> None:
    looked = rollout().after(Decision(Step.STAY, looked=True), NOW)
    assert (looked.next_look, looked.is_due(39, NOW), looked.is_due(40, NOW)) == (40, False, True)
    assert decide(looked, Evidence(MANY, jobs(39, broken=True)), NOW) == Decision(Step.STAY)


def test_it_goes_through_its_stages_to_the_end() -> None:
    there, seen = rollout(), []
    for _ in POLICY.shares:
        seen.append((there.state, there.share, there.looks))
        champion = MANY if there.share < 1 else ()
        there = there.after(decide(there, Evidence(champion, GOOD), there.staged + timedelta(hours=1)), LATER)
    assert seen == [(State.RUNNING, share, 0) for share in (0.1, 0.5, 1.0)]
    assert (there.state, there.share, there.ended) == (State.FINISHED, 1.0, None)
    assert "`copydesk promote 2` makes version 2 champion" in there.reason
    assert decide(there, Evidence((), jobs(40, broken=True)), LATER).step is Step.ABORT


def test_one_that_is_held_goes_no_further_and_can_still_be_aborted() -> None:
    held = rollout().held("lunch")
    assert (held.share, decide(held, Evidence(MANY, GOOD), LATER)) == (0.1, Decision(Step.STAY, looked=True))
    assert decide(held, Evidence(MANY, jobs(20, broken=True)), LATER).step is Step.ABORT
    resumed = held.resumed(LATER)
    assert (resumed.state, resumed.staged, resumed.looks, resumed.reason) == (State.RUNNING, LATER, 0, "")


def test_an_aborted_one_moves_no_article_and_stays_aborted() -> None:
    aborted = rollout().aborted("it is slow", LATER)
    assert (aborted.share, aborted.ended, any(aborted.takes(f"d{n}") for n in range(100))) == (0, LATER, False)
    with pytest.raises(ValueError, match="is aborted and can't become running"):
        aborted.resumed(LATER)


@pytest.mark.parametrize(
    ("champion", "state", "reason"),
    [
        ("1", State.RUNNING, ""),
        ("2", State.FINISHED, "version 2 is champion"),
        ("3", State.ABORTED, "version 3 became champion meanwhile"),
    ],
)
def test_a_new_champion_settles_it(champion: str, state: State, reason: str) -> None:
    settled = rollout().settled(champion, LATER, LATER)
    assert (settled.state, settled.reason, settled.ended) == (state, reason, LATER if reason else None)


@pytest.mark.parametrize("champion", ["2", "3"])
def test_one_promoted_before_the_consent_settles_nothing(champion: str) -> None:
    assert rollout().settled(champion, NOW - timedelta(days=1), LATER) == rollout()


@pytest.mark.parametrize("shares", [(), (0.1, 0.5), (0.5, 0.1, 1.0), (0.0, 1.0)])
def test_shares_must_grow_to_one(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="shares must grow to 1"):
        RolloutPolicy(shares=shares)


@given(st.lists(st.text(max_size=20), unique=True, max_size=50), st.text(max_size=8))
def test_a_document_stays_with_the_challenger_while_the_share_grows(documents: list[str], id: str) -> None:
    stages = [rollout(id=id, stage=stage) for stage in range(3)]
    taken = [{document for document in documents if stage.takes(document)} for stage in stages]
    assert taken[0] <= taken[1] <= taken[2] == set(documents)


def test_the_share_is_what_is_taken_and_other_rollouts_take_others() -> None:
    documents = [f"d{number}" for number in range(10_000)]
    first, second = ({d for d in documents if rollout(id=id).takes(d)} for id in ("a", "b"))
    assert 900 < len(first) < 1100
    assert 50 < len(first & second) < 150


@given(
    st.lists(st.sampled_from([Step.STAY, Step.ADVANCE, Step.HOLD, Step.ABORT, "resume", "hold"]), max_size=12),
)
def test_whatever_happens_an_ended_rollout_has_no_share_and_another_has_one(steps: list[Step | str]) -> None:
    there = rollout()
    for step in steps:
        try:
            if step == "resume":
                there = there.resumed(LATER)
            elif isinstance(step, Step):
                there = there.after(Decision(step, "why", looked=True), LATER)
            else:
                there = there.held("why")
        except ValueError:
            continue
        assert (there.state is State.ABORTED) == (there.ended is not None) == (there.share == 0)
        assert 0 <= there.stage < len(POLICY.shares)


def test_jobs_of_one_document_count_as_one() -> None:
    together = share_of([("a", 1, 1)] * 10 + [(f"d{n}", 0, 1) for n in range(90)])
    apart = share_of([(f"x{n}", 1, 1) for n in range(10)] + [(f"d{n}", 0, 1) for n in range(90)])
    assert (together.value, apart.value) == (0.1, 0.1)
    assert together.effective < 12
    assert apart.effective == pytest.approx(100, rel=0.02)


def test_p95_is_a_time_that_was_taken() -> None:
    assert p95([]) is None
    assert p95(job_facts(str(n), seconds=n) for n in range(1, 101)) == 95


def test_one_that_fails_8_percent_is_aborted_and_an_equal_one_goes_through() -> None:
    """Smaller than the benchmark `rollout-simulation`; the seeds are fixed."""
    quick = RolloutPolicy(least_minutes=5)
    worse = [simulated(random.Random(seed), failing=0.08, policy=quick).state for seed in range(10)]
    equal = [simulated(random.Random(seed), failing=0.005, policy=quick).state for seed in range(10)]
    assert worse == [State.ABORTED] * 10
    assert equal == [State.FINISHED] * 10


def test_a_rollout_evolves_by_copy() -> None:
    before: Rollout = rollout()
    before.after(Decision(Step.ADVANCE, "why", looked=True), LATER)
    assert before == replace(rollout())
