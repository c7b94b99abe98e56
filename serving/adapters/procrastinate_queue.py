"""Jobs handed out by procrastinate on PostgreSQL: a worker hears of a new job within milliseconds.

procrastinate only hands out; whether a job waits, runs or has ended stands in its own row. So what procrastinate
believes of a job whose worker died doesn't matter: the sweep of leases queues it again under its next attempt.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as HandedOut
from procrastinate.jobs import Status
from psycopg import InterfaceError, OperationalError
from sqlalchemy import select, text

from serving.adapters.database import Database, DatabaseUnavailable
from serving.adapters.handled import Handle, handled
from serving.adapters.postgres import CONNECT_SECONDS, libpq_url
from serving.adapters.procrastinate_deferral import TASK, defer, queue_name
from serving.adapters.tables import job_of, jobs
from serving.job import JobStatus

POLL_SECONDS = 5.0  # should a notification be missed
WORKER_CONNECTIONS = 4  # beside those of the database, and one more that listens


class ProcrastinateQueue:
    """One queue for each code digest: a worker gets only jobs of its own code."""

    def __init__(self, app: App, database: Database) -> None:
        self._app = app
        self._database = database
        self._suspected: dict[int, datetime] = {}  # handed out and not running, since when

    async def serve(self, handle: Handle, *, code_digest: str, at_once: int, stopping: asyncio.Event) -> None:
        async def check(job_id: str, attempt: int) -> None:
            await handled(handle, job_id, attempt)

        self._app.tasks.pop(TASK, None)  # of a connection that was lost
        self._app.task(name=TASK)(check)
        worker = asyncio.create_task(
            self._app.run_worker_async(
                queues=[queue_name(code_digest)],
                concurrency=at_once,
                fetch_job_polling_interval=POLL_SECONDS,
                install_signal_handlers=False,
                delete_jobs="always",
            )
        )
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({worker, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            worker.cancel()  # it takes no more jobs and waits for those that run
            with suppress(asyncio.CancelledError), _outages():
                await worker

    async def tidy(self, now: datetime, lease: timedelta) -> int:
        """Mends what procrastinate remembers of workers that died; how many jobs are handed out again."""
        with _outages():
            await self._forget_the_dead(now, lease)
        return await self._enqueue_forgotten(now - lease)

    async def _forget_the_dead(self, now: datetime, lease: timedelta) -> None:
        manager = self._app.job_manager
        handed = await manager.list_jobs_async(task=TASK, status=Status.DOING.value)
        rows = await self._rows([_job_id(job) for job in handed])
        suspects = {job.id: job for job in handed if job.id and not _is_running(job, rows)}
        self._suspected = {id: self._suspected.get(id, now) for id in suspects}
        for id, since in list(self._suspected.items()):
            if now - since > lease:  # else its worker is about to claim or to end it
                await manager.finish_job_by_id_async(job_id=id, status=Status.FAILED, delete_job=True)

    async def _rows(self, ids: list[str]) -> dict[str, tuple[str, int]]:
        if not ids:
            return {}
        query = select(jobs.c.id, jobs.c.status, jobs.c.attempt).where(jobs.c.id.in_(ids))
        async with self._database.read() as connection:
            return {id: (status, attempt) for id, status, attempt in await connection.execute(query)}

    async def _enqueue_forgotten(self, before: datetime) -> int:
        """Queues the jobs that wait and that procrastinate doesn't know."""
        query = text(_FORGOTTEN).bindparams(before=before, task=TASK).columns(*jobs.columns)
        async with self._database.read() as connection:
            forgotten = (await connection.execute(query)).first()
        if forgotten is None:
            return 0
        async with self._database.write() as connection:
            rows = (await connection.execute(query)).mappings().all()
            if rows:
                await connection.run_sync(defer, [job_of(row) for row in rows])
        return len(rows)


# A job that waits for its next attempt, without anything in procrastinate that would begin it.
_FORGOTTEN = """
SELECT jobs.* FROM jobs
WHERE jobs.status = 'queued' AND jobs.submitted_at < :before
  AND NOT EXISTS (
    SELECT FROM procrastinate_jobs AS handed
    WHERE handed.task_name = :task AND handed.status IN ('todo', 'doing')
      AND handed.args ->> 'job_id' = jobs.id AND (handed.args ->> 'attempt')::int = jobs.attempt + 1
  )
FOR UPDATE OF jobs SKIP LOCKED
"""


@asynccontextmanager
async def procrastinate_queue(url: str, database: Database) -> AsyncIterator[ProcrastinateQueue]:
    """With the connections of a worker."""
    connector = PsycopgConnector(
        conninfo=libpq_url(url), min_size=1, max_size=WORKER_CONNECTIONS, kwargs={"connect_timeout": CONNECT_SECONDS}
    )
    app = App(connector=connector)
    async with app.open_async():
        yield ProcrastinateQueue(app, database)


@contextmanager
def _outages() -> Iterator[None]:
    """What procrastinate says of an outage, as DatabaseUnavailable."""
    try:
        yield
    except ConnectorException as error:
        if not isinstance(error.__cause__, OperationalError | InterfaceError):
            raise
        raise DatabaseUnavailable(f"no job can be handed out while the database is away: {error.__cause__}") from error


def _job_id(job: HandedOut) -> str:
    return str(job.task_kwargs["job_id"])


def _is_running(job: HandedOut, rows: Mapping[str, tuple[str, int]]) -> bool:
    status, attempt = rows.get(_job_id(job), ("", 0))
    return status == JobStatus.RUNNING.value and attempt == job.task_kwargs["attempt"]
