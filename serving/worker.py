"""Puts a worker together: it serves the champion, checks articles, and tells MLflow of them."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.code_digest import code_digest
from agent.errors import CopydeskError
from agent.settings import ModelSettings
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from serving.adapters.database import Database, open_database
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.mlflow_run_log import MlflowRunLog
from serving.adapters.mlflow_versions import MlflowVersions
from serving.adapters.sql_check_cache import SqlKeyValues
from serving.adapters.sql_jobs import SqlJobQueue
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.sql_versions import SqlServedVersions
from serving.job import Job
from serving.ports import ServedVersion
from serving.settings import ServingSettings
from serving.shared import Shared, shared
from serving.usecases.execute import execute
from serving.usecases.log_runs import log_next

IDLE_SECONDS = 0.05  # between looks for a job: an idle worker costs about 4 % of a core on SQLite
LOG_IDLE_SECONDS = 0.5
ERROR_SECONDS = 1.0  # at least, before what went wrong is tried again
LAST_LOG_SECONDS = 5.0
RECONNECT_SECONDS = 3.0
FORGET_SECONDS = 3600.0

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


def run(settings: ServingSettings) -> None:
    """Works until SIGTERM or SIGINT; jobs that run by then are finished."""
    asyncio.run(_run(settings))


async def _run(settings: ServingSettings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    database = await open_database(settings.database_url)
    try:
        async with shared(settings, ModelSettings(), database, utc_now) as between:
            registry = await _connected(RegistrySettings(home=settings.home), stopping)
            if registry is not None:
                await Worker(settings, database, registry, between).work(stopping)
    finally:
        await database.close()


async def _connected(settings: RegistrySettings, stopping: asyncio.Event) -> Registry | None:
    """MLflow, as soon as it answers; None when the worker is to stop before."""
    while not stopping.is_set():
        try:
            return await asyncio.to_thread(connect, settings, may_be_down=True)
        except CopydeskError as error:
            logger.warning("%s", error)
            await _pause(stopping, RECONNECT_SECONDS)
    return None


@dataclass
class Worker:
    """Loops side by side: take jobs, serve the champion, take back lost jobs, log runs, drop what is old."""

    settings: ServingSettings
    database: Database
    registry: Registry
    shared: Shared
    running: set[asyncio.Task[None]] = field(default_factory=set)
    champion: ServedVersion | None = None  # what it serves, also while MLflow is down

    def __post_init__(self) -> None:
        self._lease = timedelta(seconds=self.settings.lease_seconds)
        self._queue = SqlJobQueue(self.database)
        self._blobs = FolderBlobs(self.settings.articles)
        self._served = SqlServedVersions(self.database)
        self._outbox = SqlOutbox(self.database)
        self._versions = MlflowVersions(self.registry, utc_now, endpoint=self.shared.endpoint, kept=self.shared.kept)
        self._runs = MlflowRunLog(self.registry)

    async def work(self, stopping: asyncio.Event) -> None:
        """Works until `stopping`; then the jobs that run are finished and the runs that are due are logged."""
        await asyncio.gather(
            self._every(self.settings.champion_poll_seconds, self._serve_champion, stopping),
            self._every(self.settings.lease_seconds / 3, self._take_back, stopping),
            self._every(LOG_IDLE_SECONDS, self._log_next, stopping),
            self._every(FORGET_SECONDS, self._forget, stopping),
            self._every(IDLE_SECONDS, self._take_job, stopping),
        )
        if self.running:
            await asyncio.wait(self.running)
        with contextlib.suppress(TimeoutError):  # what isn't logged by then is the next worker's
            await asyncio.wait_for(self._log_rest(), LAST_LOG_SECONDS)

    async def _every(self, seconds: float, do: Callable[[], Awaitable[bool | None]], stopping: asyncio.Event) -> None:
        """Does it again and again, at once where it returns True.

        What goes wrong is logged, once while it stays the same: the next round may find it mended.
        """
        said = ""
        while not stopping.is_set():
            pause = seconds
            try:
                again = await do()
                said = ""
                if again:
                    continue
            except CopydeskError as error:
                pause = max(seconds, ERROR_SECONDS)
                if str(error) != said:
                    logger.warning("%s", said := str(error))
            except Exception:
                pause = max(seconds, ERROR_SECONDS)
                logger.exception("%s went wrong; it goes on in %s s", do.__name__, pause)
            await _pause(stopping, pause)

    async def _serve_champion(self) -> None:
        try:
            version = await self._versions.current()
        except CopydeskError:
            # MLflow is down, or the new champion needs other code: what is loaded goes on serving.
            if self.champion is not None:
                await self._served.heard(self.champion.stamp.number, utc_now())
            raise
        if version is not None:
            if self.champion is None or version.stamp != self.champion.stamp:
                logger.info("version %s is served, %s", version.stamp.number, version.stamp.evidence)
            self.champion = version
            await self._served.put(version)

    async def _take_back(self) -> None:
        count = await self._queue.give_back(utc_now(), max_attempts=self.settings.max_attempts)
        if count:
            logger.warning("%d jobs of silent workers were taken back", count)

    async def _forget(self) -> None:
        kept = self.shared.kept
        if not isinstance(kept, SqlKeyValues):  # Redis forgets by itself
            return
        count = await kept.forget(timedelta(days=self.settings.kept_days))
        if count:
            logger.info("%d finished checks of more than %d days ago were dropped", count, self.settings.kept_days)

    async def _log_next(self) -> bool:
        return await log_next(self._outbox, self._runs, clock=utc_now)

    async def _log_rest(self) -> None:
        while await self._log_next():
            pass

    async def _take_job(self) -> bool:
        if len(self.running) >= self.settings.worker_jobs:
            return False
        job = await self._queue.claim(code_digest(), utc_now(), self._lease)
        if job is None:
            return False
        task = asyncio.create_task(self._execute(job))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return True

    async def _execute(self, job: Job) -> None:
        try:
            await execute(
                self._queue,
                self._blobs,
                self._versions,
                job=job,
                clock=utc_now,
                lease=self._lease,
                record_rate=self.settings.record_rate,
            )
        except Exception:
            # The database failed. The lease runs out, so the job is tried again.
            logger.exception("job %s attempt %d can't be stored", job.id, job.attempt)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    """Sleeps, unless it is time to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
