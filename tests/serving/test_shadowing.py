"""A challenger on sampled articles, on real stores."""

import asyncio
import json
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from agent.check import Usage
from agent.errors import CopydeskError
from agent.graph import Agent
from agent.model import Reply
from agent.prompts import Message
from agent.rules import Existence
from agent.spec import AgentSpec, ModelSpec
from agent.stored_article import dump_article
from registry.errors import CodeMismatch
from serving.access.audit import Actor
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_locks import SqlLocks
from serving.adapters.sql_shadows import SqlShadows
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores, open_worker_stores
from serving.app import utc_now
from serving.errors import BlobStoreUnavailable, ShadowRunning
from serving.job import Job, JobStatus, Priority
from serving.ports.versions import ServedVersion
from serving.settings import ServingSettings
from serving.shadow import Bill, Compared, Pair, Place, Shadow, Spent
from serving.shadowing import LONGEST, RELOAD, Shadowing
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.build import agent, claim, evidence, request, served, story, submission
from tests.serving.test_shadow import places, shadow

OTHER = pack(guideline(rules=(Existence(message="'%s'", tokens=("of course",), ignorecase=True),)), prompt_guideline())
JUDGED = pack(prompt_guideline("plain-words"), prompt_guideline())  # a call each


@dataclass
class Priced:
    """A model that finds nothing. After so many answers it keeps silent until it may go on."""

    price: float | None = 0.5
    answers: int = 1000
    asked: int = 0
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, messages: list[Message]) -> Reply:
        self.asked += 1
        if self.asked > self.answers:
            self.silent.set()
            await self.goes_on.wait()
        id = messages[-1]["content"].partition("\n")[0].removeprefix("Guideline ")
        answer = json.dumps({"checks": [{"guideline": id, "findings": []}]})
        return Reply(answer, "stop", Usage(calls=1, cost=self.price))


@dataclass
class Challenger:
    """The version that is loaded; with a model it asks it twice an article."""

    model: Priced | None = None
    fault: CopydeskError | None = None

    async def unseen(self, _: str) -> Agent:
        if self.fault:
            raise self.fault
        if self.model:
            return Agent(AgentSpec(pack=JUDGED, model=ModelSpec(deployment="m")), model=self.model)
        return Agent(AgentSpec(pack=OTHER))


@dataclass
class Later:
    """The clock, which may be put forward."""

    by: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.by


class Away(FolderBlobs):
    """A blob store that may be away."""

    away = True

    async def get(self, key: str) -> bytes | None:
        if self.away:
            raise BlobStoreUnavailable("it is away")
        return await super().get(key)


class EditorComes(SqlShadows):
    """An editor's job comes while an article is claimed."""

    coming: Shadowing
    hand: ExitStack

    async def claim(self, shadow: Shadow, now: datetime) -> Job | None:
        found = await super().claim(shadow, now)
        self.hand.enter_context(self.coming.aside())
        return found


class NotAtOnce(SqlShadows):
    """The database is away when the first bill is to be paid."""

    away = True

    async def pay(self, shadow: Shadow, job: Job, bill: Bill) -> None:
        if self.away:
            self.away = False
            raise BlobStoreUnavailable("it is away")
        await super().pay(shadow, job, bill)


def champion(number: str, *, promoted: datetime) -> ServedVersion:
    return replace(served(number, at=utc_now()), evidence=evidence(int(number), at=promoted))


@dataclass
class Bench:
    stores: Stores
    blobs: FolderBlobs
    shadows: SqlShadows

    def shadowing(self, challenger: Challenger, clock: Later | None = None) -> Shadowing:
        database = self.stores.database
        return Shadowing(
            self.shadows,
            SqlServedVersions(database),
            SqlLocks(database),
            self.stores.jobs,
            self.blobs,
            challenger,
            clock=clock or utc_now,
            look_seconds=0.01,
        )

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
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    job = await bench.ended("a")
    before = await bench.stores.jobs.result("a")
    await shadowing.offer(job)
    assert [await shadowing.next(), await shadowing.next()] == [True, False]
    (pair,) = await bench.shadows.pairs(there)
    same, differs = pair.guidelines
    assert (pair.job, same) == ("a", Compared("attribution", 1))
    assert (differs.both, len(differs.only_champion), len(differs.only_challenger)) == (0, 1, 1)
    (new,) = differs.only_challenger
    assert (story().text[new.start : new.end], new.paragraph) == ("Of course", 1)
    assert await bench.shadows.spent(there, there.started) == Spent(1, 0, 0.0)
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


async def test_a_document_is_compared_once_however_often_it_is_checked(bench: Bench) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    for id in ("a", "b"):
        await shadowing.offer(await bench.ended(id, request=request(document_id="d")))
    while await shadowing.next():
        pass
    assert [pair.job for pair in await bench.shadows.pairs(there)] == ["a"]


@pytest.mark.parametrize("cap", [{"checks_a_day": 2}, {"checks_a_day": None, "budget": 2.0}])
async def test_a_day_ends_at_its_cap(bench: Bench, cap: dict[str, Any]) -> None:
    there, shadowing = await bench.started(**cap), bench.shadowing(Challenger(Priced()))
    jobs = [await bench.ended(id) for id in ("a", "b", "c")]
    for job in jobs[:2]:
        await shadowing.offer(job)
    while await shadowing.next():
        pass
    await shadowing.offer(jobs[2])
    assert not await shadowing.next()
    assert await bench.shadows.counts(there) == {"compared": 2, "waiting": 1}
    assert await bench.shadows.spent(there, there.started) == Spent(2, 4, 2.0)


async def test_no_more_articles_wait_than_a_day_may_check(bench: Bench) -> None:
    there, shadowing = await bench.started(checks_a_day=2), bench.shadowing(Challenger())
    for id in ("a", "b", "c"):
        await shadowing.offer(await bench.ended(id))
    assert await bench.shadows.counts(there) == {"waiting": 2}


async def test_nothing_is_checked_while_an_editor_waits(bench: Bench) -> None:
    await bench.started()
    shadowing = bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a"))
    await bench.stores.jobs.add(submission("waits"))
    assert not await shadowing.next()
    running = await claim(bench.stores, utc_now())
    assert not await shadowing.next()
    await bench.stores.leases.finish(running.ended_as(JobStatus.FAILED, utc_now()), None)
    with shadowing.aside():
        assert not await shadowing.next()
    assert await shadowing.next()


async def test_a_check_stops_when_an_editors_job_begins_and_is_taken_up_again(bench: Bench) -> None:
    there, model = await bench.started(), Priced(answers=0)
    shadowing = bench.shadowing(Challenger(model))
    await shadowing.offer(await bench.ended("a"))
    checking = asyncio.create_task(shadowing.next())
    await model.silent.wait()
    with shadowing.aside():
        assert not await checking
    assert await bench.shadows.counts(there) == {"waiting": 1}
    model.goes_on.set()
    assert await shadowing.next()
    assert await bench.shadows.counts(there) == {"compared": 1}


async def test_a_check_stops_when_another_worker_takes_an_editors_job(bench: Bench, settings: ServingSettings) -> None:
    there, model = await bench.started(), Priced(answers=0)
    shadowing = bench.shadowing(Challenger(model))
    await shadowing.offer(await bench.ended("a"))
    checking = asyncio.create_task(shadowing.next())
    await model.silent.wait()
    async with open_worker_stores(settings, utc_now) as others:
        await others.jobs.add(submission("b"))
        await claim(others, utc_now())
        assert not await checking
    assert await bench.shadows.counts(there) == {"waiting": 1}


async def test_what_an_interrupted_check_has_paid_counts_towards_the_cap(bench: Bench) -> None:
    there, model = await bench.started(checks_a_day=None, budget=1.0), Priced(answers=1)
    shadowing = bench.shadowing(Challenger(model))
    await shadowing.offer(await bench.ended("a"))
    checking = asyncio.create_task(shadowing.next())
    await model.silent.wait()
    with shadowing.aside():
        assert not await checking
    assert await bench.shadows.spent(there, there.started) == Spent(1, 2, 1.0)
    assert (await shadowing.next(), model.asked) == (False, 2)


async def test_one_that_is_always_interrupted_is_left_out_and_was_paid(bench: Bench) -> None:
    there, model = await bench.started(), Priced(answers=1)
    shadowing = bench.shadowing(Challenger(model))
    await shadowing.offer(await bench.ended("a"))
    for _ in range(3):
        model.asked = 0
        model.silent.clear()
        checking = asyncio.create_task(shadowing.next())
        await model.silent.wait()
        with shadowing.aside():
            assert not await checking
    assert not await shadowing.next()
    assert await bench.shadows.counts(there) == {"interrupted 3 times": 1}
    assert await bench.shadows.spent(there, there.started) == Spent(1, 6, 3.0)


async def test_one_that_takes_too_long_is_left_out_and_was_paid(bench: Bench) -> None:
    there, model, clock = await bench.started(checks_a_day=None, budget=1.0), Priced(answers=1), Later()
    shadowing = bench.shadowing(Challenger(model), clock)
    for id in ("a", "b"):
        await shadowing.offer(await bench.ended(id))
    checking = asyncio.create_task(shadowing.next())
    await model.silent.wait()
    clock.by = LONGEST
    assert await checking
    assert await bench.shadows.counts(there) == {"it took longer than 300 seconds": 1, "waiting": 1}
    assert await bench.shadows.spent(there, there.started) == Spent(1, 2, 1.0)
    assert not await shadowing.next()


async def test_a_worker_that_is_told_to_stop_pays_for_what_it_had_in_hand(bench: Bench) -> None:
    there, model = await bench.started(), Priced(answers=1)
    shadowing = bench.shadowing(Challenger(model))
    await shadowing.offer(await bench.ended("a"))
    checking = asyncio.create_task(shadowing.next())
    await model.silent.wait()
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert await bench.shadows.spent(there, there.started) == Spent(1, 2, 1.0)


async def test_what_could_not_be_booked_is_booked_later(bench: Bench) -> None:
    there, bench.shadows = await bench.started(), NotAtOnce(bench.stores.database)
    shadowing = bench.shadowing(Challenger(Priced()))
    await shadowing.offer(await bench.ended("a"))
    with pytest.raises(BlobStoreUnavailable):
        await shadowing.next()
    await shadowing.next()
    assert (await bench.shadows.spent(there, there.started)).cost == 2.0


async def test_an_article_waits_for_a_worker_that_can_load_the_version(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    there, clock = await bench.started(), Later()
    unable = Challenger(fault=CodeMismatch("version 2 is of other code"))
    shadowing = bench.shadowing(unable, clock)
    for id in ("a", "b"):
        await shadowing.offer(await bench.ended(id))
    for _ in range(4):
        assert not await shadowing.next()
        clock.by += RELOAD
    assert await bench.shadows.counts(there) == {"waiting": 2}
    assert caplog.text.count("version 2 is of other code") == 1
    assert await bench.shadowing(Challenger()).next()
    unable.fault = None
    assert await shadowing.next()
    assert await bench.shadows.counts(there) == {"compared": 2}


async def test_an_outage_is_no_attempt(bench: Bench, settings: ServingSettings) -> None:
    there, bench.blobs = await bench.started(), (blobs := Away(settings.articles))
    shadowing = bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a"))
    for _ in range(4):
        with pytest.raises(BlobStoreUnavailable):
            await shadowing.next()
    assert await bench.shadows.spent(there, there.started) == Spent(0, 0, 0.0)
    blobs.away = False
    assert await shadowing.next()


async def test_an_article_that_was_claimed_as_an_editor_came_was_not_begun(bench: Bench) -> None:
    there = await bench.started()
    bench.shadows = meanwhile = EditorComes(bench.stores.database)
    shadowing = meanwhile.coming = bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a"))
    for _ in range(4):
        with ExitStack() as meanwhile.hand:
            assert not await shadowing.next()
    assert await bench.shadows.spent(there, there.started) == Spent(0, 0, 0.0)
    assert await bench.shadows.counts(there) == {"waiting": 1}


async def test_an_article_that_can_not_be_read_says_so(bench: Bench, settings: ServingSettings) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    job = await bench.ended("a")
    (settings.articles / job.blob[:2] / job.blob).write_bytes(b"no article")
    await shadowing.offer(job)
    assert await shadowing.next()
    assert await bench.shadows.counts(there) == {"an unexpected JSONDecodeError: the worker's log has the details": 1}


async def test_two_workers_check_one_article_at_a_time(bench: Bench) -> None:
    await bench.started()
    model = Priced(answers=0)
    first, second = bench.shadowing(Challenger(model)), bench.shadowing(Challenger())
    for id in ("a", "b"):
        await first.offer(await bench.ended(id))
    checking = asyncio.create_task(first.next())
    await model.silent.wait()
    assert not await second.next()
    model.goes_on.set()
    assert await checking
    assert await second.next()


async def test_an_unknown_cost_ends_a_shadow_with_a_budget(bench: Bench) -> None:
    await bench.started(checks_a_day=None, budget=5.0)
    shadowing = bench.shadowing(Challenger(Priced(price=None)))
    await shadowing.offer(await bench.ended("a"))
    await shadowing.next()
    stopped = await bench.shadows.latest()
    assert stopped
    assert (await bench.shadows.active(), "price table" in stopped.reason) == (None, True)


async def test_another_champion_ends_it(bench: Bench) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a"))
    await SqlServedVersions(bench.stores.database).put(champion("3", promoted=utc_now()))
    assert not await shadowing.next()
    stopped = await bench.shadows.latest()
    assert stopped
    assert (stopped.id, stopped.reason) == (there.id, "version 3 became champion")
    entries = await SqlAudit(bench.stores.database).page(None, 10)
    assert {(entry.action, entry.subject) for entry in entries} == {("shadow.started", "2"), ("shadow.stopped", "2")}


async def test_a_champion_that_workers_have_yet_to_see_ends_nothing(bench: Bench) -> None:
    """Until their next poll they say that the one before serves."""
    versions, shadowing = SqlServedVersions(bench.stores.database), bench.shadowing(Challenger())
    there = await bench.started(champion="3")
    await versions.put(champion("1", promoted=there.started - timedelta(days=1)))
    assert not await shadowing.next()
    assert await bench.shadows.active() == there
    await versions.put(champion("3", promoted=there.started - timedelta(seconds=1)))
    await shadowing.offer(await bench.ended("a", version="3"))
    assert await shadowing.next()


async def test_there_is_one_at_a_time_and_its_pairs_stay(bench: Bench) -> None:
    there = await bench.started()
    with pytest.raises(ShadowRunning, match="another challenger runs in the shadow"):
        await bench.shadows.start(shadow(id="other"))
    job = await bench.ended("a")
    await bench.shadows.offer(there, "a", job, utc_now())
    found = [Compared("g", 1, places("f1", "f2"), places("f3")), Compared("h", 2)]
    await bench.shadows.compared(there, job, found, utc_now())
    await bench.shadows.stop(there, "why", utc_now(), by=Actor("bob", "command"))
    await bench.shadows.start(shadow(id="other"))
    assert await bench.shadows.pairs(there) == [Pair("a", tuple(found))]


async def test_what_a_release_before_compared_has_no_places(bench: Bench) -> None:
    there = await bench.started()
    await bench.shadows.offer(there, "a", await bench.ended("a"), utc_now())
    async with bench.stores.database.write() as connection:
        values = {"shadow": there.id, "job": "a"}
        await connection.execute(text(OLD_RESULT), values)
    (pair,) = await bench.shadows.pairs(there)
    assert pair.guidelines == (Compared("g", 1, (Place("f1"), Place("f2")), (Place("f3"),)),)


OLD_RESULT = """
INSERT INTO shadow_results (shadow_id, job_id, guideline_id, "both", only_champion, only_challenger)
VALUES (:shadow, :job, 'g', 1, 'f1,f2', 'f3')
"""
