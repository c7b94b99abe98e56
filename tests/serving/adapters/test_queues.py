"""One suite for every queue: the table of jobs on SQLite, procrastinate on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text

from serving.adapters.database import DatabaseUnavailable
from serving.adapters.postgres import libpq_url
from serving.adapters.procrastinate_queue import ProcrastinateQueue
from serving.adapters.stores import WorkerStores
from serving.app import utc_now
from serving.job import JobStatus
from serving.settings import ServingSettings
from tests.serving.build import LEASE, SPEC, request, submission

PATIENCE = 10.0
# The table of jobs has no memory beside its rows.
ONLY_POSTGRES = pytest.mark.parametrize("settings", ["postgres"], indirect=True)


@dataclass
class Handed:
    """What a queue handed out; a job stays in hand until `let_go`."""

    jobs: list[tuple[str, int]] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, job_id: str, attempt: int) -> None:
        async with self.news:
            self.jobs.append((job_id, attempt))
            self.news.notify_all()
        await self.let_go.wait()

    async def until(self, count: int) -> list[str]:
        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(lambda: len(self.jobs) >= count)
        return [id for id, _ in self.jobs]


@asynccontextmanager
async def served(
    stores: WorkerStores, handed: Handed, *, code: str = SPEC.code, at_once: int = 10
) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    serving = asyncio.create_task(
        stores.queue.serve(handed.handle, code_digest=code, at_once=at_once, stopping=stopping)
    )
    try:
        yield
    finally:
        stopping.set()
        handed.let_go.set()
        await asyncio.wait_for(serving, PATIENCE)


async def test_jobs_are_handed_out_in_their_order(stores: WorkerStores) -> None:
    for number, (id, user) in enumerate([("a1", "ada"), ("a2", "ada"), ("b1", "bob")]):
        await stores.jobs.add(submission(id, seconds=number, request=request(user=user)))
    handed = Handed()
    async with served(stores, handed):
        assert await handed.until(3) == ["a1", "b1", "a2"]
    assert [attempt for _, attempt in handed.jobs] == [1, 1, 1]


async def test_a_job_that_comes_while_a_worker_waits_is_handed_out(stores: WorkerStores) -> None:
    handed = Handed()
    async with served(stores, handed):
        for number, id in enumerate("abc", start=1):
            await stores.jobs.add(submission(id, request=request(user=id)))
            assert await handed.until(number) == [*"abc"][:number]


async def test_no_more_jobs_at_once_than_asked_for(stores: WorkerStores) -> None:
    for number in range(3):
        await stores.jobs.add(submission(f"job{number}"))
    handed = Handed()
    async with served(stores, handed, at_once=2):
        await handed.until(2)
        await asyncio.sleep(0.2)
        assert len(handed.jobs) == 2


async def test_a_worker_gets_only_jobs_of_its_code(stores: WorkerStores) -> None:
    await stores.jobs.add(submission("other", code_digest="f" * 64))
    await stores.jobs.add(submission("own", seconds=1))
    handed = Handed()
    async with served(stores, handed):
        assert await handed.until(1) == ["own"]


async def test_a_pause_is_kept(stores: WorkerStores) -> None:
    await stores.jobs.add(submission("a"))
    running = await stores.leases.claim("a", 1, utc_now(), LEASE)
    assert running
    pause = timedelta(seconds=0.5)
    back = await stores.leases.retry(running, utc_now(), "down", pause=pause, max_attempts=3)
    handed = Handed()
    async with served(stores, handed):
        async with asyncio.timeout(PATIENCE), handed.news:
            await handed.news.wait_for(lambda: ("a", 2) in handed.jobs)
        assert back
        assert back.due
        assert utc_now() >= back.due


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (DatabaseUnavailable("it is away"), ("WARNING", "attempt 1 at job a broke off: it is away", False)),
        (KeyError("a fault"), ("ERROR", "attempt 1 at job a went wrong", True)),
    ],
)
async def test_a_failing_handler_stops_no_other_job_and_is_logged_as_what_it_is(
    stores: WorkerStores, failure: Exception, told: tuple[str, str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    await stores.jobs.add(submission("a"))
    await stores.jobs.add(submission("b", seconds=1))

    async def handle(job_id: str, attempt: int) -> None:
        if job_id == "a":
            raise failure
        stopping.set()

    stopping = asyncio.Event()
    async with asyncio.timeout(PATIENCE):
        await stores.queue.serve(handle, code_digest=SPEC.code, at_once=1, stopping=stopping)
    found = [(record.levelname, record.getMessage(), bool(record.exc_info)) for record in caplog.records]
    assert [each for each in found if " job a " in each[1]] == [told]


@ONLY_POSTGRES
async def test_a_queue_whose_database_is_away_says_so(stores: WorkerStores, settings: ServingSettings) -> None:
    url = settings.database_url
    async with open_app(url) as app:
        queue = ProcrastinateQueue(app, stores.database)
        with psycopg.connect(postgres_of(url), autocommit=True) as other:
            name = url.rpartition("/")[2]
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        with pytest.raises(DatabaseUnavailable, match="no job can be handed out"):
            await queue.tidy(utc_now(), LEASE)
        with pytest.raises(DatabaseUnavailable, match="no job can be handed out"):
            await queue.serve(Handed().handle, code_digest=SPEC.code, at_once=1, stopping=asyncio.Event())


@ONLY_POSTGRES
async def test_a_mistake_is_no_outage(stores: WorkerStores) -> None:
    await execute(stores, "ALTER TABLE procrastinate_jobs RENAME TO gone")
    with pytest.raises(ConnectorException):
        await stores.queue.tidy(utc_now(), LEASE)


@ONLY_POSTGRES
async def test_a_job_handed_to_a_worker_that_died_before_its_claim_is_handed_out_again(stores: WorkerStores) -> None:
    await stores.jobs.add(submission("a"))
    await execute(stores, "UPDATE procrastinate_jobs SET status = 'doing'")
    handed, now = Handed(), utc_now()
    async with served(stores, handed):
        assert await stores.queue.tidy(now, LEASE) == 0
        assert await stores.queue.tidy(now + 2 * LEASE, LEASE) == 1
        assert await handed.until(1) == ["a"]


@ONLY_POSTGRES
async def test_jobs_that_the_queue_forgot_are_in_it_again(stores: WorkerStores) -> None:
    await stores.jobs.add(submission("a"))
    await execute(stores, "DELETE FROM procrastinate_jobs")
    assert await stores.queue.tidy(utc_now() + 2 * LEASE, LEASE) == 1
    assert await stores.queue.tidy(utc_now() + 2 * LEASE, LEASE) == 0
    handed = Handed()
    async with served(stores, handed):
        assert await handed.until(1) == ["a"]


@ONLY_POSTGRES
async def test_what_a_dead_worker_left_behind_goes(stores: WorkerStores) -> None:
    await stores.jobs.add(submission("a"))
    await execute(stores, "UPDATE procrastinate_jobs SET status = 'doing'")
    running = await stores.leases.claim("a", 1, utc_now(), LEASE)
    assert running
    now = utc_now()
    await stores.queue.tidy(now, LEASE)
    assert await count(stores) == 1
    await stores.leases.finish(running.ended_as(JobStatus.FAILED, now), None)
    await stores.queue.tidy(now, LEASE)
    await stores.queue.tidy(now + 2 * LEASE, LEASE)
    assert await count(stores) == 0


@asynccontextmanager
async def open_app(url: str) -> AsyncIterator[App]:
    """Which doesn't wait for a connection that nobody gives."""
    app = App(connector=PsycopgConnector(conninfo=libpq_url(url), min_size=1, timeout=0.3))
    async with app.open_async():
        yield app


def postgres_of(url: str) -> str:
    return libpq_url(f"{url.rpartition('/')[0]}/postgres")


async def execute(stores: WorkerStores, statement: str) -> None:
    async with stores.database.write() as connection:
        await connection.execute(text(statement))


async def count(stores: WorkerStores) -> int:
    async with stores.database.read() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0)
