"""Checks sampled articles by a challenger, when nobody waits. What it finds goes into figures, and to no editor."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from agent.errors import CopydeskError
from agent.meter import Meter
from agent.report import ComplianceReport, ReportStatus
from agent.stored_article import load_article
from serving.access.audit import WORKER
from serving.job import Job, JobStatus, Priority
from serving.ports.clocks import Clock
from serving.ports.control import Locks
from serving.ports.jobs import JobStore
from serving.ports.rollouts import Shadows
from serving.ports.storage import BlobStore
from serving.ports.versions import ServedVersions, Unseen
from serving.shadow import Shadow, bill, compare

if TYPE_CHECKING:
    from agent.graph import Agent

LOCK = "shadow"
LOOK_SECONDS = 1.0  # between looks at whether an editor waits anywhere
TERM = timedelta(seconds=20)  # of the lock, which each look renews
LONGEST = timedelta(minutes=5)  # too long for an article that nobody waits for
RELOAD = timedelta(seconds=30)  # until a version that couldn't be loaded is tried again

logger = logging.getLogger(__name__)


class _LeftOut(Exception):
    """The article can't be compared; its text is the reason."""


class _Reports(NamedTuple):
    seen: ComplianceReport  # the champion's, which the editor has
    unseen: ComplianceReport


@dataclass(frozen=True, slots=True)
class _Unpaid:
    shadow: Shadow
    job: Job
    meter: Meter


class Shadowing:
    """One article at a time among all workers, and none while an editor waits at any of them.

    When this worker takes a job a check stops at once, when another one does, at the next look. Checks that were
    finished by then are kept, so they aren't paid again.
    """

    def __init__(
        self,
        shadows: Shadows,
        served: ServedVersions,
        locks: Locks,
        jobs: JobStore,
        blobs: BlobStore,
        agents: Unseen,
        *,
        clock: Clock,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._shadows, self._served, self._locks = shadows, served, locks
        self._jobs, self._blobs, self._agents = jobs, blobs, agents
        self._clock = clock
        self._look_seconds = look_seconds
        self._name = uuid4().hex
        self._in_hand = 0  # editors' jobs
        self._checking: asyncio.Task[_Reports] | None = None
        self._unpaid: list[_Unpaid] = []  # while the database is away
        self._fault = ""  # why the version can't be loaded here, as it was logged
        self._reload: datetime | None = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While an editor's job runs."""
        self._in_hand += 1
        self.give_way()
        try:
            yield
        finally:
            self._in_hand -= 1

    def give_way(self) -> None:
        if self._checking is not None:
            self._checking.cancel()

    async def offer(self, job: Job) -> None:
        """Samples a job whose editor has a whole report."""
        if job.status is not JobStatus.COMPLETED or job.priority is not Priority.INTERACTIVE or job.batch:
            return
        shadow, unit = await self._shadows.active(), job.request.document_id or job.blob
        if shadow and shadow.champion == job.version and shadow.takes(unit):
            await self._shadows.offer(shadow, unit, job, self._clock())

    async def next(self) -> bool:
        """Checks one of the articles that wait; False where there is none, or now is not the time."""
        await self._settle()
        shadow = await self._shadows.active()
        if shadow is None or self._in_hand or not await self._stands(shadow):
            return False
        agent = await self._agent(shadow)  # before an article is claimed: those wait for a worker that can
        if agent is None or not await self._locks.hold(LOCK, self._name, self._clock(), TERM):
            return False
        try:
            if await self._reached_cap(shadow) or await self._shadows.editors_wait():
                return False
            job = await self._shadows.claim(shadow, self._clock())
            return job is not None and await self._attempt(shadow, job, agent)
        finally:
            await self._locks.release(LOCK, self._name)

    async def _stands(self, shadow: Shadow) -> bool:
        """Whether its champion is served. One that another was promoted after is over."""
        champion = await self._served.champion()
        if champion is None:
            return False
        if champion.stamp.number == shadow.champion:
            return True
        if champion.since > shadow.started:  # else workers haven't seen the shadow's champion yet: they will
            reason = f"version {champion.stamp.number} became champion"
            await self._shadows.stop(shadow, reason, self._clock(), by=WORKER)
        return False

    async def _agent(self, shadow: Shadow) -> "Agent | None":
        if self._reload is not None and self._clock() < self._reload:
            return None
        try:
            agent = await self._agents.unseen(shadow.version)
        except CopydeskError as error:
            self._reload = self._clock() + RELOAD
            if str(error) != self._fault:
                self._fault = str(error)
                logger.warning(
                    "version %s can't check in the shadow at this worker, its articles wait for one that can load it: "
                    "%s",
                    shadow.version,
                    error,
                )
            return None
        self._fault, self._reload = "", None
        return agent

    async def _reached_cap(self, shadow: Shadow) -> bool:
        today = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        return (await self._shadows.spent(shadow, today)).reaches_cap(shadow)

    async def _attempt(self, shadow: Shadow, job: Job, agent: "Agent") -> bool:
        if self._in_hand:  # an editor's job came while it was claimed
            await self._shadows.hand_back(shadow, job)
            return False
        meter = Meter()
        checking = self._checking = asyncio.create_task(self._check(job, agent, meter))
        try:
            late = await self._is_late(checking)
        finally:
            self._checking = None
            checking.cancel()
            await asyncio.wait({checking})
            await self._pay(shadow, job, meter)
        if late:
            reason = f"it took longer than {LONGEST.total_seconds():g} seconds"
            await self._shadows.left_out(shadow, job, reason, self._clock())
            return True
        return not checking.cancelled() and await self._end(shadow, job, checking)

    async def _is_late(self, checking: asyncio.Task[_Reports]) -> bool:
        """Waits until it ends or has to stop: an editor waits, or it takes too long, which is what is returned."""
        begun = self._clock()
        while not (await asyncio.wait({checking}, timeout=self._look_seconds))[0]:
            if self._clock() - begun >= LONGEST:
                return True
            if await self._shadows.editors_wait():
                return False
            if not await self._locks.hold(LOCK, self._name, self._clock(), TERM):
                return False
        return False

    async def _check(self, job: Job, agent: "Agent", meter: Meter) -> _Reports:
        text, data = await self._jobs.result(job.id), await self._blobs.get(job.blob)
        if text is None or data is None:
            raise _LeftOut("its article or its report is gone")
        seen = ComplianceReport.model_validate_json(text)
        known = {rule.id for rule in agent.spec.pack.guidelines}
        shared = tuple(outcome.guideline for outcome in seen.outcomes if outcome.guideline in known)
        if not shared:
            raise _LeftOut("the versions share none of its guidelines")
        return _Reports(seen, await agent.check(load_article(data), guidelines=shared, meter=meter))

    async def _end(self, shadow: Shadow, job: Job, checking: asyncio.Task[_Reports]) -> bool:
        try:
            seen, unseen = checking.result()
        except _LeftOut as gap:
            reason = str(gap)
        except CopydeskError as error:
            if error.outage:  # that isn't the article's fault
                await self._shadows.hand_back(shadow, job)
                raise
            reason = str(error)
        except Exception as error:
            logger.exception("the check of job %s in the shadow went wrong", job.id)
            reason = f"an unexpected {type(error).__name__}: the worker's log has the details"
        else:
            logger.info("job %s was checked by version %s in the shadow", job.id, shadow.version)
            if unseen.status is ReportStatus.COMPLETE:
                await self._shadows.compared(shadow, job, compare(seen, unseen), self._clock())
                return True
            reason = f"the challenger's report is {unseen.status}"
        await self._shadows.left_out(shadow, job, reason, self._clock())
        return True

    async def _pay(self, shadow: Shadow, job: Job, meter: Meter) -> None:
        """Whatever came of the attempt."""
        if meter.answered.calls or meter.unanswered:
            self._unpaid.append(_Unpaid(shadow, job, meter))
        await self._settle()

    async def _settle(self) -> None:
        while self._unpaid:
            due = self._unpaid[0]
            made = bill(due.meter, await self._shadows.spent(due.shadow, due.shadow.started))
            await self._shadows.pay(due.shadow, due.job, made)
            del self._unpaid[0]
            if not made.known and due.shadow.budget is not None:
                reason = "its model isn't in the price table (COPYDESK_MODEL_PRICES), so its cost isn't known"
                await self._shadows.stop(due.shadow, reason, self._clock(), by=WORKER)
