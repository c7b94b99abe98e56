"""A challenger on sampled articles, on real stores."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from agent.article import Article
from agent.check import Usage
from agent.graph import Agent
from agent.report import ComplianceReport
from agent.rules import Existence
from agent.spec import AgentSpec
from agent.stored_article import dump_article
from serving.access.audit import Actor
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_locks import SqlLocks
from serving.adapters.sql_shadows import SqlShadows
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.errors import ShadowRunning
from serving.job import Job, JobStatus, Priority
from serving.settings import ServingSettings
from serving.shadow import Compared, Pair, Shadow, Spent
from serving.shadowing import Shadowing
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.build import agent, claim, evidence, request, served, story, submission
from tests.serving.test_shadow import shadow

OTHER = pack(guideline(rules=(Existence(message="'%s'", tokens=("of course",), ignorecase=True),)), prompt_guideline())

NO_USAGE = Usage()


@dataclass
class Challenger:
    """The version that is loaded, which may take its time."""

    usage: Usage = NO_USAGE
    wait: asyncio.Event | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def unseen(self, _: str) -> Agent:
        usage, wait, begun = self.usage, self.wait, self.begun

        class Slow(Agent):
            async def check(self, article: Article, **asked: Any) -> ComplianceReport:
                begun.set()
                if wait:
                    await wait.wait()
                return (await super().check(article, **asked)).model_copy(update={"usage": usage})

        return Slow(AgentSpec(pack=OTHER))


@dataclass
class Bench:
    stores: Stores
    blobs: FolderBlobs
    shadows: SqlShadows

    def shadowing(self, challenger: Challenger) -> Shadowing:
        database = self.stores.database
        served_versions, locks = SqlServedVersions(database), SqlLocks(database)
        return Shadowing(self.shadows, served_versions, locks, self.stores.jobs, self.blobs, challenger, clock=utc_now)

    async def started(self, **fields: Any) -> Shadow:
        there = shadow(**({"share": 1.0, "started": utc_now()} | fields))
        await self.shadows.start(there)
        return there

    async def ended(self, id: str, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> Job:
        blob = await self.blobs.put(dump_article(story()))
        await self.stores.jobs.add(submission(id, blob=blob, **({"request": request(document_id=id)} | fields)))
        running = await claim(self.stores, utc_now())
        made = await agent().check(story())
        stored = await self.stores.leases.finish(running.ended_as(status, utc_now()), made)
        assert stored
        return stored


@pytest.fixture
async def bench(stores: Stores, settings: ServingSettings) -> Bench:
    await SqlServedVersions(stores.database).put(served("1", at=utc_now()))
    return Bench(stores, FolderBlobs(settings.articles), SqlShadows(stores.database))


async def test_a_sampled_article_is_compared_and_nothing_else_changes(bench: Bench) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger(Usage(calls=2, cost=0.5)))
    job = await bench.ended("a")
    before = await bench.stores.jobs.result("a")
    await shadowing.offer(job)
    assert [await shadowing.next(), await shadowing.next()] == [True, False]
    (pair,) = await bench.shadows.pairs(there)
    same, differs = pair.guidelines
    assert (pair.job, same) == ("a", Compared("attribution", 1))
    assert (differs.both, len(differs.only_champion), len(differs.only_challenger)) == (0, 1, 1)
    assert await bench.shadows.spent(there, there.started) == Spent(1, 2, 0.5)
    assert (await bench.stores.jobs.get("a"), await bench.stores.jobs.result("a")) == (job, before)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": JobStatus.PARTIAL},
        {"priority": Priority.BATCH},
        {"version": "3"},
    ],
)
async def test_only_whole_reports_of_the_champion_for_an_editor_are_sampled(
    bench: Bench, fields: dict[str, Any]
) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a", **fields))
    assert (await shadowing.next(), await bench.shadows.counts(there)) == (False, {})


@pytest.mark.parametrize(("promoted", "state"), [(-1, True), (1, False)])
async def test_a_champion_promoted_later_ends_it_and_a_worker_that_is_behind_does_not(
    bench: Bench, promoted: int, state: bool
) -> None:
    there = await bench.started(champion="9")
    found = evidence(at=there.started + timedelta(hours=promoted))
    await SqlServedVersions(bench.stores.database).put(replace(served("1"), evidence=found))
    assert not await bench.shadowing(Challenger()).next()
    assert (await bench.shadows.active() is not None) is state


async def test_a_document_is_compared_once_however_often_it_is_checked(bench: Bench) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    for id in ("a", "b"):
        await shadowing.offer(await bench.ended(id, request=request(document_id="d")))
    while await shadowing.next():
        pass
    assert [pair.job for pair in await bench.shadows.pairs(there)] == ["a"]


@pytest.mark.parametrize("cap", [{"checks_a_day": 2}, {"checks_a_day": None, "budget": 1.0}])
async def test_a_day_ends_at_its_cap(bench: Bench, cap: dict[str, Any]) -> None:
    there, shadowing = await bench.started(**cap), bench.shadowing(Challenger(Usage(calls=1, cost=0.5)))
    for id in ("a", "b", "c"):
        await shadowing.offer(await bench.ended(id))
    while await shadowing.next():
        pass
    assert await bench.shadows.counts(there) == {"compared": 2, "waiting": 1}


async def test_nothing_is_checked_while_an_editor_waits(bench: Bench) -> None:
    await bench.started()
    shadowing = bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a"))
    await bench.stores.jobs.add(submission("waits"))
    assert not await shadowing.next()
    with shadowing.aside():
        await claim(bench.stores, utc_now())
        assert not await shadowing.next()
    assert await shadowing.next()


async def test_a_check_stops_when_an_editors_job_begins_and_is_taken_up_again(bench: Bench) -> None:
    there, slow = await bench.started(), Challenger(wait=asyncio.Event())
    shadowing = bench.shadowing(slow)
    await shadowing.offer(await bench.ended("a"))
    checking = asyncio.create_task(shadowing.next())
    await slow.begun.wait()
    with shadowing.aside():
        assert not await checking
    assert await bench.shadows.counts(there) == {"waiting": 1}
    assert slow.wait
    slow.wait.set()
    assert await shadowing.next()
    assert await bench.shadows.counts(there) == {"compared": 1}


async def test_one_that_is_always_interrupted_is_left_out(bench: Bench) -> None:
    there = await bench.started()
    await bench.shadowing(Challenger()).offer(await bench.ended("a"))
    for _ in range(3):
        assert await bench.shadows.claim(there, utc_now())
    assert await bench.shadows.claim(there, utc_now()) is None
    assert await bench.shadows.counts(there) == {"interrupted 3 times": 1}


async def test_two_workers_check_one_article_at_a_time(bench: Bench) -> None:
    await bench.started()
    slow = Challenger(wait=asyncio.Event())
    first, second = bench.shadowing(slow), bench.shadowing(Challenger())
    for id in ("a", "b"):
        await first.offer(await bench.ended(id))
    checking = asyncio.create_task(first.next())
    await slow.begun.wait()
    assert not await second.next()
    assert slow.wait
    slow.wait.set()
    assert await checking
    assert await second.next()


async def test_an_unknown_cost_ends_a_shadow_with_a_budget(bench: Bench) -> None:
    await bench.started(checks_a_day=None, budget=5.0)
    shadowing = bench.shadowing(Challenger(Usage(calls=1, cost=None)))
    await shadowing.offer(await bench.ended("a"))
    await shadowing.next()
    stopped = await bench.shadows.latest()
    assert stopped
    assert (await bench.shadows.active(), "price table" in stopped.reason) == (None, True)


async def test_another_champion_ends_it(bench: Bench) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a"))
    await SqlServedVersions(bench.stores.database).put(served("3", at=utc_now()))
    assert not await shadowing.next()
    stopped = await bench.shadows.latest()
    assert stopped
    assert (stopped.id, stopped.reason) == (there.id, "version 3 became champion")
    entries = await SqlAudit(bench.stores.database).page(None, 10)
    assert {(entry.action, entry.subject) for entry in entries} == {("shadow.started", "2"), ("shadow.stopped", "2")}


async def test_there_is_one_at_a_time_and_its_pairs_stay(bench: Bench) -> None:
    there = await bench.started()
    with pytest.raises(ShadowRunning, match="another challenger runs in the shadow"):
        await bench.shadows.start(shadow(id="other"))
    job = await bench.ended("a")
    await bench.shadows.offer(there, "a", job, utc_now())
    found = [Compared("g", 1, ("f1", "f2"), ("f3",))]
    await bench.shadows.compared(there, job, found, calls=1, cost=0.0, now=utc_now())
    await bench.shadows.stop(there, "why", utc_now(), by=Actor("bob", "command"))
    await bench.shadows.start(shadow(id="other"))
    assert await bench.shadows.pairs(there) == [Pair("a", tuple(found))]
