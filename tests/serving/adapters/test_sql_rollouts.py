from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.check import Verdict
from agent.finding import Method
from agent.report import ComplianceReport
from serving.access.audit import Actor
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_rollouts import SqlRollouts
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.errors import RolloutRunning
from serving.job import JobStatus
from serving.rollout import Decision, JobFacts, Rollout, State, Step
from serving.usecases.roll_on import roll_on
from tests.agent.build import guideline, pack
from tests.serving.build import NOW, claim, evidence, report, request, served, submission
from tests.serving.rollouts import rollout

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def rollouts(stores: Stores) -> SqlRollouts:
    return SqlRollouts(stores.database)


async def end(
    stores: Stores, id: str, version: str, status: JobStatus, made: ComplianceReport | None, **fields: Any
) -> None:
    """A job that was checked in two seconds."""
    await stores.jobs.add(submission(id, version=version, **fields))
    running = await claim(stores)
    await stores.leases.finish(running.ended_as(status, NOW + timedelta(seconds=2)), made)


async def gaps() -> ComplianceReport:
    """One check failed, one fell back to patterns, and one quote isn't in the article."""
    made = await report()
    failed, fell_back = made.outcomes
    return made.model_copy(
        update={
            "outcomes": (
                failed.model_copy(update={"verdict": Verdict.FAILED, "findings": 0, "unanchored": 1}),
                fell_back.model_copy(update={"method": Method.FALLBACK}),
            )
        }
    )


async def test_a_rollout_comes_back_and_is_the_only_one(rollouts: SqlRollouts) -> None:
    assert await rollouts.active() is None
    await rollouts.start(rollout())
    assert await rollouts.active() == rollout()
    with pytest.raises(RolloutRunning, match="another challenger is being rolled out"):
        await rollouts.start(rollout(id="other"))


async def test_when_one_has_ended_another_may_start(rollouts: SqlRollouts) -> None:
    for id in ("a", "b"):
        started = rollout(id=id)
        await rollouts.start(started)
        assert await rollouts.change(started.aborted("why", LATER), by=Actor("bob", "command"), now=LATER)
    assert await rollouts.active() is None
    assert {one.id: (one.state, one.reason) for one in await rollouts.latest(5)} == {
        "a": (State.ABORTED, "why"),
        "b": (State.ABORTED, "why"),
    }


async def test_who_read_an_older_state_changes_nothing(rollouts: SqlRollouts) -> None:
    await rollouts.start(rollout())
    assert await rollouts.change(rollout().aborted("first", LATER), by=Actor("bob", "command"), now=LATER)
    assert not await rollouts.change(
        rollout().after(Decision(Step.ADVANCE), LATER), by=Actor("worker", "worker"), now=LATER
    )
    assert (await rollouts.latest(1))[0].reason == "first"


async def test_moves_are_audited_and_mere_looks_are_not(rollouts: SqlRollouts, stores: Stores) -> None:
    there = rollout()
    await rollouts.start(there)
    moves: list[Callable[[Rollout], Rollout]] = [
        lambda one: one.after(Decision(Step.STAY, looked=True), LATER),
        lambda one: one.after(Decision(Step.ADVANCE, "good"), LATER),
        lambda one: one.aborted("slow", LATER),
    ]
    for move in moves:
        assert await rollouts.change(move(there), by=Actor("bob", "command"), now=LATER)
        there = (await rollouts.latest(1))[0]
    entries = await SqlAudit(stores.database).page(None, 10)
    assert sorted((entry.action, entry.user, entry.subject, entry.detail) for entry in entries) == [
        ("rollout.aborted", "bob", "2", "0% of the articles: slow"),
        ("rollout.running", "ada", "2", "10% of the articles"),
        ("rollout.running", "bob", "2", "50% of the articles: good"),
    ]


async def test_evidence_is_the_ended_jobs_of_the_stage_by_version(rollouts: SqlRollouts, stores: Stores) -> None:
    await rollouts.start(rollout())
    await end(stores, "good", "1", JobStatus.COMPLETED, await report(), request=request(document_id="d"))
    await end(stores, "bad", "2", JobStatus.PARTIAL, await gaps())
    await end(stores, "dead", "2", JobStatus.FAILED, None)
    await end(stores, "gone", "2", JobStatus.CANCELLED, None)
    await end(stores, "other", "3", JobStatus.COMPLETED, await report())
    await end(stores, "early", "2", JobStatus.COMPLETED, await report(), seconds=-1)
    await end(stores, "of a batch", "2", JobStatus.COMPLETED, await report(), batch="b")
    await stores.jobs.add(submission("waits", version="2"))
    found = await rollouts.evidence(rollout())
    assert found.champion == (JobFacts("d", broken=False, seconds=2, checks=2, failed=0, found=2, unanchored=0),)
    assert sorted(found.challenger, key=lambda job: job.checks) == [
        JobFacts("blob", broken=True, seconds=2, checks=0, failed=0, found=0, unanchored=0),
        JobFacts("blob", broken=True, seconds=2, checks=2, failed=2, found=1, unanchored=1),
    ]
    assert await rollouts.challenger_jobs(rollout()) == 2


async def test_a_challenger_whose_jobs_fail_is_aborted(rollouts: SqlRollouts, stores: Stores) -> None:
    versions, started = SqlServedVersions(stores.database), rollout()
    await versions.put(served("1"))
    await rollouts.start(started)
    for number in range(20):
        assert await roll_on(rollouts, versions, now=NOW) is None
        await end(stores, f"j{number}", "2", JobStatus.FAILED, None, blob=f"blob{number}")
    aborted = await roll_on(rollouts, versions, now=NOW)
    assert aborted
    assert (aborted.state, aborted.reason) == (
        State.ABORTED,
        "jobs with gaps: 100.0% of 20, surely more than 20%",
    )
    assert await roll_on(rollouts, versions, now=NOW) is None


@pytest.mark.parametrize(("champion", "state"), [("2", State.FINISHED), ("3", State.ABORTED)])
async def test_a_promotion_ends_the_rollout(rollouts: SqlRollouts, stores: Stores, champion: str, state: State) -> None:
    await rollouts.start(rollout())
    versions = SqlServedVersions(stores.database)
    await versions.put(replace(served(champion), evidence=evidence(int(champion), at=LATER)))
    await roll_on(rollouts, versions, now=LATER)
    assert (await rollouts.active(), (await rollouts.latest(1))[0].state) == (None, state)


@pytest.mark.parametrize("champion", ["2", "3"])
async def test_a_worker_that_still_tells_of_an_earlier_champion_ends_nothing(
    rollouts: SqlRollouts, stores: Stores, champion: str
) -> None:
    """As between `copydesk promote 1` with `rollout start 2` right after it and the worker's next look."""
    await rollouts.start(rollout())
    versions, before = SqlServedVersions(stores.database), evidence(int(champion), at=NOW - timedelta(days=1))
    await versions.put(replace(served(champion, at=LATER), evidence=before))
    assert await roll_on(rollouts, versions, now=LATER) is None
    assert await rollouts.active() == rollout()


async def test_the_stores_clock_is_that_of_its_machine(rollouts: SqlRollouts) -> None:
    before = datetime.now(UTC)
    there = await rollouts.now()
    assert before <= there <= datetime.now(UTC)
    assert there.tzinfo is UTC


async def test_a_worker_that_is_behind_takes_no_championship_away(stores: Stores) -> None:
    versions, other = SqlServedVersions(stores.database), pack(guideline(title="Other"))
    challenger = served("2", champion=False, of=other)
    await versions.put(served("1"))
    await versions.put(challenger)
    assert await versions.challenger("2") == challenger
    await versions.put(served("2", of=other))
    await versions.put(replace(challenger, served=LATER))
    champion = await versions.champion()
    assert champion
    assert (champion.stamp.number, await versions.challenger("2")) == ("2", None)
