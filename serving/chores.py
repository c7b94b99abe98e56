"""What one worker at a time does for all of them, or `copydesk tick` for a scheduler."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import TypeVar
from uuid import uuid4

from agent.errors import CopydeskError
from registry.connection import Registry
from registry.errors import RegistryError
from registry.retention import forget_articles
from serving.adapters.http_caller import HttpCaller
from serving.adapters.mlflow_feedback import MlflowFeedback
from serving.adapters.mlflow_run_log import MlflowRunLog
from serving.adapters.sql_callbacks import SqlCallbacks
from serving.adapters.sql_check_cache import SqlKeyValues
from serving.adapters.sql_feedback_outbox import SqlFeedbackOutbox
from serving.adapters.sql_locks import SqlLocks
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.sql_retention import SqlRetention
from serving.adapters.sql_rollouts import SqlRollouts
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import WorkerStores
from serving.adapters.traced_run_log import TracedRunLog
from serving.api.callback_schemas import callback_body
from serving.keeping import kept
from serving.ports.clocks import Clock
from serving.ports.jobs import Leases
from serving.ports.monitors import Look, Monitor, Monitored, Verdict
from serving.ports.storage import BlobStore, Retention
from serving.rollout import State
from serving.settings import ServingSettings
from serving.shared import Shared
from serving.telling import PutOff, Tally, Telling
from serving.together import together
from serving.tracing import NO_TRACES, Traces
from serving.usecases import call_back
from serving.usecases.call_back import call_due
from serving.usecases.log_runs import log_next, unforeseen
from serving.usecases.purge import Purged, purge
from serving.usecases.roll_on import roll_on
from serving.usecases.tell_feedback import tell_next

SWEEP, LOG, CALL, PURGE, ROLLOUT, MONITOR = "sweep", "log", "call", "purge", "rollout", "monitor"
ROLLOUT_TERM = timedelta(seconds=60)
SWEEPS = 5  # in a lease; a worker that dies after one holds up the others for no longer than until the next
LOG_TERM = timedelta(seconds=20)  # a worker that dies while it logs holds up the others no longer
PURGE_EVERY = timedelta(days=1)
SOON = timedelta(hours=1)  # until a monitor looks again that couldn't, or whose question wasn't answered
HOLD = timedelta(minutes=2)  # kept while a purge or a monitor runs: of one that was killed nobody waits longer

logger = logging.getLogger(__name__)


T = TypeVar("T")
Monitors = Callable[[ServingSettings, WorkerStores, Registry, Shared], Sequence[Monitor]]


def no_monitors(*_: object) -> tuple[Monitor, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one round of the chores came to."""

    taken_back: int  # jobs whose worker went silent
    handed_out: int  # waiting jobs that the queue had forgotten
    logged: Tally  # runs in MLflow
    told: Tally  # jobs whose decisions MLflow has now
    called: Tally  # clients whose jobs or batches ended
    purged: Purged | PutOff | None  # None: it was done within the day
    monitored: tuple[Monitored, ...] = ()  # those that were due

    @property
    def blocked(self) -> bool:
        """Something waits because nothing gets through to MLflow or to a client."""
        return any(each.blocked for each in (self.logged, self.told, self.called)) or (
            isinstance(self.purged, PutOff) and self.purged.blocked
        )

    @property
    def alarms(self) -> bool:
        """A monitor found what somebody has to see to, or couldn't look."""
        return any(each.verdict in (Verdict.ALARM, None) for each in self.monitored)


class Chores:
    """Each takes its lock first, and does nothing while another process has it."""

    def __init__(
        self,
        settings: ServingSettings,
        stores: WorkerStores,
        *,
        leases: Leases,
        blobs: BlobStore,
        registry: Registry,
        shared: Shared,
        clock: Clock,
        traces: Traces = NO_TRACES,
        monitors: Sequence[Monitor] = (),
    ) -> None:
        self._settings, self._stores, self._registry = settings, stores, registry
        self._leases, self._blobs, self._kept = leases, blobs, shared.kept
        self._clock, self._monitors = clock, monitors
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._outbox = SqlOutbox(stores.database)
        self._locks = SqlLocks(stores.database)
        self._retention = SqlRetention(stores.database)
        self._runs = TracedRunLog(MlflowRunLog(registry, trace_rate=settings.mlflow_trace_rate), traces)
        self._decided = SqlFeedbackOutbox(stores.database)
        self._decisions = MlflowFeedback(registry)
        self._callbacks = SqlCallbacks(stores.database)
        self._rollouts, self._versions = SqlRollouts(stores.database), SqlServedVersions(stores.database)
        self._caller = HttpCaller(settings.callback_rules)
        self.name = f"{socket.gethostname()}-{uuid4().hex[:8]}"

    async def all(self) -> Ticked:
        """A round of everything, for a scheduler that calls now and then."""
        try:
            return await self._round()
        finally:
            await self.close()

    async def _round(self) -> Ticked:
        taken_back, handed_out = await self.sweep()
        await self.roll_on()
        await self.forget_checks()
        (logged, told), called = await together(self._tell_mlflow(), _each_once(self.call))
        purged = await self._purge_or_later()
        return Ticked(taken_back, handed_out, logged, told, called, purged, await self.monitor())

    async def _tell_mlflow(self) -> tuple[Tally, Tally]:
        """While it doesn't answer, each entry would wait as long as the first did."""

        async def log() -> Sequence[Telling]:
            return _one(await self.log_next())

        async def tell() -> Sequence[Telling]:
            return _one(await self.tell_next())

        return await _each_once(log, while_answered=True), await _each_once(tell, while_answered=True)

    async def _purge_or_later(self) -> Purged | PutOff | None:
        try:
            return await self.purge()
        except RegistryError as error:
            return PutOff(str(error), blocked=error.outage)

    async def sweep(self) -> tuple[int, int]:
        """Takes jobs back from workers that went silent, and hands out what the queue forgot; how many of each."""
        if not await self._holds(SWEEP, self._lease / SWEEPS):
            return 0, 0
        lost = await self._leases.give_back(self._clock(), max_attempts=self._settings.max_attempts)
        for job in lost:
            logger.warning("job %s was taken back: its worker went silent in attempt %d", job.id, job.attempt)
        if count := await self._stores.queue.tidy(self._clock(), self._lease):
            logger.warning("%d waiting jobs were missing in the queue and are in it again", count)
        return len(lost), count

    async def log_next(self) -> Telling | None:
        """Tells MLflow of an ended job; None when there is none to tell of."""
        if not await self._outbox.is_due(self._clock()) or not await self._holds(LOG, LOG_TERM):
            return None
        hold = timedelta(seconds=self._settings.log_hold_seconds)
        return await log_next(self._outbox, self._runs, clock=self._clock, hold=hold)

    async def tell_next(self) -> Telling | None:
        """Tells MLflow what was decided with a job's report; None when there is nothing to tell."""
        if not await self._decided.is_due(self._clock()) or not await self._holds(LOG, LOG_TERM):
            return None
        return await tell_next(self._decided, self._decisions, clock=self._clock)

    async def call(self) -> Sequence[Telling]:
        """Calls some of the clients whose jobs have ended."""
        if not await self._callbacks.is_due(self._clock()) or not await self._holds(CALL, call_back.HOLD):
            return ()
        keys = self._settings.webhook_keys
        return await call_due(self._callbacks, self._caller, callback_body, keys=keys, clock=self._clock)

    async def roll_on(self) -> None:
        """Moves the rollout on, or aborts it."""
        if await self._rollouts.active() is None or not await self._holds(ROLLOUT, ROLLOUT_TERM):
            return
        if changed := await roll_on(self._rollouts, self._versions, now=await self._rollouts.now()):
            said = f": {changed.reason}" if changed.reason else ""
            what = f"the rollout of version {changed.challenger} is {changed.state} at {changed.share:.0%}{said}"
            logger.log(logging.WARNING if changed.state in (State.ABORTED, State.HELD) else logging.INFO, "%s", what)

    async def forget_checks(self) -> None:
        if not isinstance(self._kept, SqlKeyValues):  # Redis forgets by itself
            return
        days = self._settings.kept_days
        if count := await self._kept.forget(timedelta(days=days)):
            logger.info("%d finished checks of more than %d days ago were dropped", count, days)

    async def purge(self) -> Purged | None:
        """Once a day; None when it was done within it."""

        async def remove() -> Purged:
            return await purge_now(self._retention, self._blobs, self._registry, self._settings, self._clock())

        done = await self._once(PURGE, remove, lambda _: PURGE_EVERY)
        if done and done != Purged():
            logger.info("removed for their age: %s", done)
        return done

    async def monitor(self) -> tuple[Monitored, ...]:
        """Has each monitor look that is due; one that can't is tried again within the hour."""
        looks = [(each.name, await self._look(each)) for each in self._monitors]
        return tuple(Monitored(name, came_to) for name, came_to in looks if came_to is not None)

    async def _look(self, monitor: Monitor) -> Look | PutOff | None:
        async def look() -> Look | PutOff:
            """A failure rests, too: what it asked for until then may have been paid for."""
            try:
                return await monitor.look()
            except CopydeskError as error:
                logger.warning("the monitor %s could not look: %s", monitor.name, error)
                return PutOff(str(error), blocked=error.outage)
            except Exception as error:
                logger.exception("the monitor %s could not look", monitor.name)
                return PutOff(unforeseen(error))

        def rest(came_to: Look | PutOff) -> timedelta:
            soon = isinstance(came_to, PutOff) or came_to.soon
            return min(SOON, monitor.every) if soon else monitor.every

        came_to = await self._once(f"{MONITOR}:{monitor.name}", look, rest)
        if isinstance(came_to, Look):
            level = logging.INFO if came_to.verdict is Verdict.FINE else logging.WARNING
            logger.log(level, "the monitor %s: %s", monitor.name, came_to.said)
        return came_to

    async def _once(self, lock: str, do: Callable[[], Awaitable[T]], rest: Callable[[T], timedelta]) -> T | None:
        """None while another process is at it, or it was done and its rest isn't over."""
        turn = uuid4().hex  # not this process's name: it waits like the others
        if not await self._locks.hold(lock, turn, self._clock(), HOLD):
            return None
        try:
            async with kept(self._locks, lock, turn, clock=self._clock, term=HOLD):
                done = await do()
        except BaseException:
            await self._locks.release(lock, turn)  # the next round tries again
            raise
        await self._locks.hold(lock, turn, self._clock(), rest(done))
        return done

    async def close(self) -> None:
        """Lets others go on at once."""
        for lock in (SWEEP, LOG, CALL, ROLLOUT):
            await self._locks.release(lock, self.name)

    async def _holds(self, lock: str, term: timedelta) -> bool:
        return await self._locks.hold(lock, self.name, self._clock(), term)


async def _each_once(tell_some: Callable[[], Awaitable[Sequence[Telling]]], *, while_answered: bool = False) -> Tally:
    """All that is due: what was put off falls due again while others are told, and would never end."""
    tried: dict[str, PutOff | None] = {}
    while some := await tell_some():
        again = any(each.of in tried for each in some)
        tried |= {each.of: each.put_off for each in some}
        if again or (while_answered and any(each.put_off and each.put_off.blocked for each in some)):
            break
    put_off = tuple(each for each in tried.values() if each)
    return Tally(len(tried) - len(put_off), put_off)


def _one(telling: Telling | None) -> Sequence[Telling]:
    return (telling,) if telling else ()


async def purge_now(
    kept: Retention, blobs: BlobStore, registry: Registry, settings: ServingSettings, now: datetime
) -> Purged:
    """Whatever the day; raises DatabaseUnavailable and RegistryError."""

    async def forget_runs(before: datetime) -> int:
        stopping = Event()
        try:
            return await asyncio.to_thread(forget_articles, registry, before, stopping=stopping)
        finally:
            stopping.set()  # a thread isn't cancelled with whoever waits for it

    return await purge(kept, blobs, forget_runs, settings.logs, ages=settings.ages, now=now)
