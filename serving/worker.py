"""Puts a worker together: it serves the champion, checks articles, and tells MLflow of them."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.code_digest import code_digest
from agent.errors import CopydeskError
from agent.settings import ModelSettings
from registry.connection import Registry, connect
from registry.errors import NotTrusted, Ungated
from registry.settings import RegistrySettings
from registry.trust import trusted_keys
from serving.access.audit import WORKER
from serving.access.settings import AccessSettings
from serving.adapters.announced_leases import AnnouncedLeases
from serving.adapters.blob_stores import open_blobs
from serving.adapters.measured import MeasuredBlobs, MeasuredCache, MeasuredKeyValues, MeasuredLeases
from serving.adapters.mlflow_versions import MlflowVersions
from serving.adapters.sql_evidence import SqlEvidence
from serving.adapters.sql_locks import SqlLocks
from serving.adapters.sql_registry_hints import SqlRegistryHints
from serving.adapters.sql_rollouts import SqlRollouts
from serving.adapters.sql_shadows import SqlShadows
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import WorkerStores, open_worker_stores
from serving.adapters.watched_leases import WatchedLeases
from serving.attempt import attempted
from serving.chores import SWEEPS, Chores, Monitors, no_monitors
from serving.composition import answers_of
from serving.edge import Edge, open_edge
from serving.errors import ChampionRefused
from serving.exposition import exposed
from serving.job import Job
from serving.metrics import WorkerMetrics
from serving.ports.monitors import Monitor
from serving.ports.storage import BlobStore
from serving.ports.versions import ServedVersion
from serving.rounds import ERROR_SECONDS, every, pause
from serving.settings import ServingSettings
from serving.shadowing import Shadowing
from serving.shared import Shared, shared
from serving.tracing import NO_TRACES, Traces, TracingSettings, open_traces
from serving.usecases.execute import Terms, execute

LOG_IDLE_SECONDS = 0.5
ROLL_SECONDS = 2.0
SHADOW_IDLE_SECONDS = 1.0
HINT_SECONDS = 1.0  # between looks for word from MLflow's webhook
CHALLENGER_SECONDS = 3.0  # at most: a rollout begins in the database, of which MLflow tells nobody
ALIVE_SECONDS = 10.0  # a third of the silence after which nobody counts on a worker
LAST_LOG_SECONDS = 5.0
RECONNECT_SECONDS = 3.0
FORGET_SECONDS = 3600.0
MONITOR_SECONDS = 600.0  # between looks whether one is due
STOPPED = "its worker was told to stop"

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


def run(settings: ServingSettings, access: AccessSettings, monitors: Monitors = no_monitors) -> None:
    """Works until SIGTERM or SIGINT; jobs that run by then are finished, or handed back where that takes too long.

    Raises UnsafeAddress, NoTrustedKeys and UnusableKey before anything starts: a worker that trusts nobody could serve
    nothing.
    """
    settings.worker_must_be_safe(metrics_token=bool(access.metrics_token.get_secret_value()))
    trusted_keys(RegistrySettings(home=settings.home))
    asyncio.run(_run(settings, access, monitors))


async def _run(settings: ServingSettings, access: AccessSettings, monitors: Monitors) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stopping)
    metrics, traces = WorkerMetrics(), open_traces(TracingSettings(), "worker")
    async with (
        open_worker_stores(settings, utc_now) as stores,
        shared(settings, ModelSettings(), stores.database, utc_now) as between,
        open_edge(settings) as edge,
        open_blobs(settings) as blobs,
        exposed(metrics, settings.host, settings.worker_metrics_port, access),
    ):
        registry = await _connected(RegistrySettings(home=settings.home), stopping)
        if registry is not None:
            looks = monitors(settings, stores, registry, between)
            await Worker(settings, stores, registry, between, edge, blobs, metrics, traces, looks).work(stopping)
    await asyncio.to_thread(traces.close)


def _stop(stopping: asyncio.Event) -> None:
    logger.info("told to stop: no more jobs are taken")
    stopping.set()


async def _connected(settings: RegistrySettings, stopping: asyncio.Event) -> Registry | None:
    """MLflow, as soon as it answers; None when the worker is to stop before."""
    while not stopping.is_set():
        try:
            return await asyncio.to_thread(connect, settings, may_be_down=True)
        except CopydeskError as error:
            logger.warning("%s", error)
            await pause(stopping, RECONNECT_SECONDS)
    return None


@dataclass
class Worker:
    """Loops side by side: take jobs, serve the champion, and what one worker at a time does for all of them."""

    settings: ServingSettings
    stores: WorkerStores
    registry: Registry
    shared: Shared
    edge: Edge
    blobs: BlobStore
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    traces: Traces = NO_TRACES
    monitors: Sequence[Monitor] = ()
    champion: ServedVersion | None = None  # what it serves, also while MLflow is down

    def __post_init__(self) -> None:
        self._unforeseen = ""  # that was logged of the registry
        self._terms = Terms(
            timedelta(seconds=self.settings.lease_seconds), self.settings.max_attempts, self.settings.record_rate
        )
        database = self.stores.database
        self._late = asyncio.Event()  # what still runs is to be handed back
        self.metrics.follow_pool(lambda: database.pool)
        self._blobs = MeasuredBlobs(self.blobs, self.metrics)
        cache = MeasuredCache(self.edge.cache, self.metrics)
        self._served = SqlServedVersions(database)
        answers = answers_of(self.stores, self._blobs, cache, shared=self.edge.shared)
        self._evidence = SqlEvidence(database)
        watched = WatchedLeases(self.stores.leases, self._evidence, self.settings.evidence_expires_on, utc_now)
        self._leases = AnnouncedLeases(MeasuredLeases(watched, self.metrics), answers.changed)
        kept = MeasuredKeyValues(self.shared.kept, self.metrics)
        self._versions = MlflowVersions(self.registry, utc_now, endpoint=self.shared.endpoint, kept=kept)
        self._rollouts = SqlRollouts(database)
        self._hints = SqlRegistryHints(database)
        self._hint = 0  # the last one that was followed
        self._news = (asyncio.Event(), asyncio.Event())  # for the champion, for the challenger
        self._shadowing = Shadowing(
            SqlShadows(database),
            self._served,
            SqlLocks(database),
            self.stores.jobs,
            self._blobs,
            self._versions,
            clock=utc_now,
        )
        self._chores = Chores(
            self.settings,
            self.stores,
            leases=self._leases,
            blobs=self.blobs,
            registry=self.registry,
            shared=self.shared,
            clock=utc_now,
            traces=self.traces,
            monitors=self.monitors,
        )

    async def work(self, stopping: asyncio.Event) -> None:
        """Works until `stopping`; then the jobs that run are finished and the runs that are due are logged.

        What runs `shutdown_seconds` later goes back into the queue at once; what else is in hand is given up.
        """
        limiting = asyncio.create_task(self._limit(stopping))

        async def take_jobs() -> None:
            await self._take_jobs(stopping)

        await asyncio.gather(self._look_after(stopping), every(ERROR_SECONDS, take_jobs, stopping))
        limiting.cancel()
        with contextlib.suppress(TimeoutError):  # what isn't logged by then is the next worker's
            await asyncio.wait_for(self._log_rest(), LAST_LOG_SECONDS)
        await self._chores.close()

    async def _look_after(self, stopping: asyncio.Event) -> None:
        """The loops beside the jobs, which are cut off when it is late: another worker does what was in hand."""
        loops = asyncio.create_task(self._loops(stopping))
        if await _done_before(self._late, loops):
            await loops

    async def _loops(self, stopping: asyncio.Event) -> None:
        poll, (champion, challenger) = self.settings.champion_poll_seconds, self._news

        async def monitor() -> None:
            """A look takes minutes, and is the next worker's where this one is to stop."""
            looking = asyncio.create_task(self._chores.monitor())
            if await _done_before(stopping, looking):
                for each in await looking:
                    self.metrics.looked(each)

        await asyncio.gather(
            every(poll, self._serve_champion, stopping, news=champion),
            every(min(poll, CHALLENGER_SECONDS), self._serve_challenger, stopping, news=challenger),
            every(ALIVE_SECONDS, self._say_alive, stopping),
            self._follow_hints(stopping),
            every(self.settings.lease_seconds / SWEEPS, self._sweep, stopping),
            every(ROLL_SECONDS, self._chores.roll_on, stopping),
            every(SHADOW_IDLE_SECONDS, self._shadowing.next, stopping),
            every(LOG_IDLE_SECONDS, self._log, stopping),
            every(LOG_IDLE_SECONDS, self._tell, stopping),
            every(LOG_IDLE_SECONDS, self._call, stopping),
            every(FORGET_SECONDS, self._chores.forget_checks, stopping),
            every(FORGET_SECONDS, self._purge, stopping),
            every(MONITOR_SECONDS, monitor, stopping),
        )

    async def _follow_hints(self, stopping: asyncio.Event) -> None:
        """Only where MLflow's webhook is taken: it's a question to the database a second."""
        if self.settings.registry_webhook_secrets:
            await every(HINT_SECONDS, self._follow_hint, stopping)

    async def _follow_hint(self) -> None:
        latest = await self._hints.latest()
        if latest > self._hint:
            logger.info("MLflow told of a change: the registry is looked at now")
            self._hint = latest
            for news in self._news:
                news.set()

    async def _say_alive(self) -> None:
        """However seldom it asks who is champion, which says so, too."""
        if self.champion is not None and self.settings.champion_poll_seconds > ALIVE_SECONDS:
            await self._served.heard(self.champion.stamp.number, utc_now())

    async def _serve_champion(self) -> None:
        try:
            version = await self._versions.current()
        except Exception as error:
            # MLflow is down, the new champion needs other code, or isn't what it was: what is loaded goes on serving.
            if self.champion is not None:
                await self._served.heard(self.champion.stamp.number, utc_now())
            if isinstance(error, CopydeskError):
                self.metrics.champion_refused.set(bool(self._versions.refusal))
                raise
            self.metrics.champion_refused.set(True)
            said = f"the champion can't be read from the registry: {type(error).__name__}: {error}"
            if said != self._unforeseen:
                logger.exception("the registry holds what no release wrote")
            self._unforeseen = said
            raise ChampionRefused(said) from error
        self._unforeseen = ""
        if version is not None:
            if self.champion is None or version.stamp != self.champion.stamp:
                logger.info("version %s is served, %s", version.stamp.number, version.stamp.evidence)
            self.champion = version
            await self._served.put(version)
            kept = await self._evidence.of(version.stamp.number)
            self.metrics.model_changed.set(bool(kept and kept.expired))
        self.metrics.champion_refused.set(bool(self._versions.refusal))
        if self._versions.refusal:
            raise ChampionRefused(self._versions.refusal)

    async def _serve_challenger(self) -> None:
        """Of a rollout. One whose records don't let it serve has no articles from then on."""
        rollout = await self._rollouts.active()
        if rollout is None:
            return
        try:
            version = await self._versions.challenger(rollout)
        except (NotTrusted, Ungated) as error:
            refused = rollout.aborted(_refused(error), utc_now())
            await self._rollouts.change(refused, by=WORKER, now=utc_now())
            raise
        if version is not None:
            await self._served.put(version)

    async def _sweep(self) -> None:
        await self._chores.sweep()

    async def _purge(self) -> None:
        await self._chores.purge()

    async def _log(self) -> bool:
        return await self._chores.log_next() is not None

    async def _tell(self) -> bool:
        return await self._chores.tell_next() is not None

    async def _call(self) -> bool:
        return bool(await self._chores.call())

    async def _log_rest(self) -> None:
        while await self._log() or await self._tell():
            pass

    async def _take_jobs(self, stopping: asyncio.Event) -> None:
        """Takes jobs until it is told to stop; returns before only where the queue failed."""
        await self.stores.queue.serve(
            self._check, code_digest=code_digest(), at_once=self.settings.worker_jobs, stopping=stopping
        )

    async def _check(self, job_id: str, attempt: int) -> None:
        job = await self._leases.claim(job_id, attempt, utc_now(), self._terms.lease)
        if job is None:
            return
        with self._shadowing.aside(), attempted(self.traces, job, time.time) as witness:
            checking = asyncio.create_task(
                execute(
                    self._leases,
                    self._blobs,
                    self._versions,
                    job=job,
                    clock=utc_now,
                    terms=self._terms,
                    witness=witness,
                )
            )
            if await _done_before(self._late, checking):
                ended = await checking
                if ended is not None:
                    logger.info("job %s is %s after attempt %d", ended.id, ended.status, ended.attempt)
                    await self._shadowing.offer(ended)
            else:
                await self._hand_back(job)

    async def _hand_back(self, job: Job) -> None:
        """Not where the attempt ended at the last moment."""
        if await self._leases.hand_back(job, STOPPED):
            logger.warning("job %s was handed back in attempt %d: this worker is told to stop", job.id, job.attempt)

    async def _limit(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._shadowing.give_way()
        await asyncio.sleep(self.settings.shutdown_seconds)
        self._late.set()


def _refused(error: CopydeskError) -> str:
    """Why a rollout ends for all workers, and what to do where it is this one that is set up otherwise."""
    return (
        f"refused by the worker on {socket.gethostname()}: {error}; where the others would take it, set this worker's "
        "COPYDESK_TRUSTED_KEYS, COPYDESK_APPROVALS and MLFLOW_TRACKING_URI as theirs, and start the rollout anew"
    )


async def _done_before(late: asyncio.Event, work: asyncio.Task[object]) -> bool:
    """Whether the work ended before it was late; else it is cancelled, and has ended too."""
    waiting = asyncio.create_task(late.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return work.done()
    finally:
        for task in (work, waiting):
            task.cancel()
        await asyncio.gather(work, waiting, return_exceptions=True)
