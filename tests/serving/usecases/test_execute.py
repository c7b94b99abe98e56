import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent.article import Article
from agent.errors import CopydeskError
from agent.graph import Agent, OnProgress
from agent.meter import Meter
from agent.recording import Recording
from agent.report import ComplianceReport
from agent.spec import AgentSpec, ModelSpec
from agent.stored_article import dump_article
from registry.errors import CredentialsRefused, RegistryUnreachable, UnknownVersion
from serving.adapters.database import Database, DatabaseUnavailable
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_leases import SqlLeases
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.errors import BlobStoreUnusable
from serving.job import Job, JobStatus
from serving.ports.versions import ServedVersion
from serving.settings import ServingSettings
from serving.usecases.execute import Terms, backoff, execute
from tests.agent.build import pack, prompt_guideline
from tests.serving.build import LEASE, SPEC, agent, claim, request, story, submission
from tests.waiting import soon


@dataclass
class Loaded:
    """One agent for every version, or what loading it raises."""

    agents: Agent
    failure: Exception | None = None

    async def agent(self, _: str) -> Agent:
        if self.failure:
            raise self.failure
        return self.agents

    async def current(self) -> ServedVersion | None:
        return None


@dataclass
class Bench:
    """What executing needs, on real stores."""

    stores: Stores
    blobs: FolderBlobs

    async def claimed(self, **asked: object) -> Job:
        blob = await self.blobs.put(dump_article(story()))
        await self.stores.jobs.add(submission("a", blob=blob, request=request(**asked)))
        return await claim(self.stores, utc_now())

    async def execute(self, job: Job, champion: Loaded, *, lease: timedelta = LEASE) -> Job | None:
        return await execute(self.stores.leases, self.blobs, champion, job=job, clock=utc_now, terms=Terms(lease=lease))

    async def ended(self) -> tuple[Job, str | None]:
        job = await self.stores.jobs.get("a")
        assert job
        return job, await self.stores.jobs.result("a")


@pytest.fixture
def bench(stores: Stores, settings: ServingSettings) -> Bench:
    return Bench(stores, FolderBlobs(settings.articles))


async def test_a_job_ends_with_its_report(bench: Bench) -> None:
    assert await bench.execute(await bench.claimed(), Loaded(agent()))
    job, stored = await bench.ended()
    report = ComplianceReport.model_validate_json(stored or "")
    assert (job.status, job.done, job.total, job.lease_until) == (JobStatus.COMPLETED, 2, 2, None)
    assert (report.version.number, [finding.quote for finding in report.findings]) == ("1", ["utilise", "experts say"])


async def test_only_the_guidelines_asked_for_are_checked(bench: Bench) -> None:
    await bench.execute(await bench.claimed(guidelines=("plain-words",)), Loaded(agent()))
    job, stored = await bench.ended()
    report = ComplianceReport.model_validate_json(stored or "")
    assert ([outcome.guideline for outcome in report.outcomes], job.total) == (["plain-words"], 1)


@pytest.mark.parametrize(
    ("rules", "status"), [({}, JobStatus.PARTIAL), ({"rules": (), "kind": "prompt"}, JobStatus.FAILED)]
)
async def test_a_model_that_is_away_makes_a_report_partial_or_fails_it(
    bench: Bench, rules: dict[str, Any], status: JobStatus
) -> None:
    spec = AgentSpec(pack=pack(prompt_guideline(**rules)), model=ModelSpec(deployment="m"))
    await bench.execute(await bench.claimed(), Loaded(Agent(spec)))
    job, _ = await bench.ended()
    assert job.status is status
    assert ("no guideline could be checked" in job.reason) == (status is JobStatus.FAILED)


async def test_a_version_that_is_gone_fails_the_job_with_the_reason(bench: Bench) -> None:
    await bench.execute(await bench.claimed(), Loaded(agent(), UnknownVersion("version '1' is not registered")))
    job, stored = await bench.ended()
    assert (job.status, job.reason, stored) == (JobStatus.FAILED, "version '1' is not registered", None)


async def test_an_article_that_is_gone_fails_the_job_with_the_reason(bench: Bench) -> None:
    await bench.stores.jobs.add(submission("a", blob="0" * 64))
    job = await claim(bench.stores, utc_now())
    await bench.execute(job, Loaded(agent()))
    assert (await bench.ended())[0].reason == "the article is no longer kept: submit it again"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (RegistryUnreachable("MLflow is down"), "MLflow is down"),
        (ZeroDivisionError(), "an unexpected ZeroDivisionError"),
    ],
)
async def test_what_may_pass_leaves_the_job_to_another_attempt(bench: Bench, failure: Exception, reason: str) -> None:
    assert await bench.execute(await bench.claimed(), Loaded(agent(), failure))
    job, _ = await bench.ended()
    assert (job.status, job.reason.startswith(reason), job.due is None) == (JobStatus.QUEUED, True, False)
    assert await bench.execute(await claim(bench.stores, utc_now()), Loaded(agent()))
    job, _ = await bench.ended()
    assert (job.status, job.attempt, job.reason) == (JobStatus.COMPLETED, 2, "")


@pytest.mark.parametrize(
    "failure",
    [
        RegistryUnreachable("MLflow is down"),
        CredentialsRefused("MLflow refuses these credentials"),
        BlobStoreUnusable("the blob store refuses us"),
    ],
)
async def test_no_outage_costs_a_job_one_of_its_attempts(bench: Bench, failure: CopydeskError) -> None:
    job = await bench.claimed()
    for _ in range(Terms().max_attempts + 1):
        assert await bench.execute(job, Loaded(agent(), failure))
        job = await claim(bench.stores, utc_now())
    assert (job.attempt, job.attempt - job.attempts_from) == (Terms().max_attempts + 2, 1)


def test_pauses_between_attempts_grow_up_to_a_limit() -> None:
    assert [backoff(attempt).total_seconds() for attempt in (1, 2, 3)] == [2, 8, 32]
    assert backoff(9) == backoff(999) == timedelta(minutes=5)


class SlowAgent(Agent):
    """The real agent, which begins when it is told."""

    def __init__(self) -> None:
        super().__init__(SPEC, stamp=agent().stamp)
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def check(
        self,
        article: Article,
        *,
        guidelines: tuple[str, ...] | None = None,
        on_progress: OnProgress | None = None,
        recording: Recording | None = None,
        meter: Meter | None = None,
    ) -> ComplianceReport:
        self.asked.set()
        await self.go.wait()
        return await super().check(article, guidelines=guidelines, on_progress=on_progress, recording=recording)


async def test_a_cancelled_job_is_let_go_while_the_check_hangs(bench: Bench) -> None:
    job, slow = await bench.claimed(), SlowAgent()
    running = asyncio.create_task(bench.execute(job, Loaded(slow), lease=timedelta(seconds=0.3)))
    await slow.asked.wait()
    await bench.stores.jobs.cancel("a", utc_now())
    assert not await asyncio.wait_for(running, 30)
    assert (await bench.ended())[0].status is JobStatus.CANCELLED


async def test_a_cancelled_job_stops_at_its_next_guideline(bench: Bench) -> None:
    job, slow = await bench.claimed(), SlowAgent()
    running = asyncio.create_task(bench.execute(job, Loaded(slow), lease=timedelta(minutes=5)))
    await slow.asked.wait()
    await bench.stores.jobs.cancel("a", utc_now())
    slow.go.set()
    assert not await asyncio.wait_for(running, 30)
    assert (await bench.ended()) == (await bench.stores.jobs.get("a"), None)


async def test_a_long_check_keeps_its_lease(bench: Bench) -> None:
    job, slow = await bench.claimed(), SlowAgent()
    lease, ends = timedelta(seconds=0.3), list[datetime]()
    running = asyncio.create_task(bench.execute(job, Loaded(slow), lease=lease))

    async def renewed() -> bool:
        now = await bench.stores.jobs.get("a")
        if now and now.lease_until and now.lease_until != job.lease_until:
            ends.append(now.lease_until)
        return bool(ends) and ends[-1] > ends[0] + lease

    await soon("it is renewed again and again", renewed)
    assert await bench.stores.leases.give_back(ends[0] + lease, max_attempts=3) == []
    slow.go.set()
    assert await running
    assert (await bench.ended())[0].attempt == 1


class Restarted(SqlLeases):
    """The real leases of a database that is away until it is back."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.back, self.refused = False, asyncio.Queue[str]()

    async def renew(self, job: Job, until: datetime) -> bool:
        self._must_be_back("renew")
        return await super().renew(job, until)

    async def progress(self, job: Job, checked: Sequence[str], total: int) -> Job | None:
        self._must_be_back("progress")
        return await super().progress(job, checked, total)

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> Job | None:
        self._must_be_back("finish")
        return await super().finish(job, report, recording)

    def _must_be_back(self, asked: str) -> None:
        if not self.back:
            self.refused.put_nowait(asked)
            raise DatabaseUnavailable("the database went away")


@pytest.mark.parametrize("write", ["renew", "finish"])
async def test_a_database_that_restarts_ends_no_check(bench: Bench, write: str) -> None:
    job, slow = await bench.claimed(), SlowAgent()
    leases, terms = Restarted(bench.stores.database), Terms(lease=timedelta(seconds=3))
    champion = Loaded(slow if write == "renew" else agent())
    running = asyncio.create_task(execute(leases, bench.blobs, champion, job=job, clock=utc_now, terms=terms))
    while await leases.refused.get() != write:
        pass
    leases.back = True
    slow.go.set()
    assert await running
    ended, _ = await bench.ended()
    assert (ended.status, ended.attempt, ended.done) == (JobStatus.COMPLETED, 1, 2)
