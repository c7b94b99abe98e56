"""Checks sampled articles by a challenger, when nobody waits. What it finds goes into figures, and to no editor."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from agent.report import ComplianceReport, ReportStatus
from agent.stored_article import load_article
from serving.access.audit import WORKER
from serving.job import Job, JobStatus, Priority
from serving.ports import BlobStore, Clock, JobStore, Locks, ServedVersions, Shadows, Unseen
from serving.shadow import Shadow, compare

LOCK = "shadow"
CHECK_SECONDS = 300.0  # longer is too long for an article that nobody waits for
TERM = timedelta(seconds=CHECK_SECONDS + 30)

logger = logging.getLogger(__name__)


class Shadowing:
    """One article at a time among all workers, and none while this one has a job: then it stops at once.

    Checks that were finished by then are kept, so they aren't paid again.
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
    ) -> None:
        self._shadows, self._served, self._locks = shadows, served, locks
        self._jobs, self._blobs, self._agents = jobs, blobs, agents
        self._clock = clock
        self._name = uuid4().hex
        self._in_hand = 0  # editors' jobs
        self._checking: asyncio.Task[None] | None = None

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
        shadow = await self._shadows.active()
        if shadow is None or self._in_hand:
            return False
        if not await self._locks.hold(LOCK, self._name, self._clock(), TERM):
            return False
        try:
            job = await self._claim(shadow)
            if job is None or self._in_hand:
                return False
            self._checking = asyncio.create_task(self._check(shadow, job))
            await asyncio.wait({self._checking})
            if self._checking.cancelled():
                return False
            self._checking.result()
            return True
        finally:
            if self._checking is not None:
                self._checking.cancel()
                self._checking = None
            await self._locks.release(LOCK, self._name)

    async def _claim(self, shadow: Shadow) -> Job | None:
        now = self._clock()
        champion = await self._served.champion()
        if champion is None:
            return None
        if champion.stamp.number != shadow.champion:
            if champion.since > shadow.started:  # else a worker hasn't heard of the shadow's champion yet
                reason = f"version {champion.stamp.number} became champion"
                await self._shadows.stop(shadow, reason, now, by=WORKER)
            return None
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if (await self._shadows.spent(shadow, today)).reaches_cap(shadow) or await self._shadows.editors_wait():
            return None
        return await self._shadows.claim(shadow, now)

    async def _check(self, shadow: Shadow, job: Job) -> None:
        agent = await self._agents.unseen(shadow.version)
        text, data = await self._jobs.result(job.id), await self._blobs.get(job.blob)
        if text is None or data is None:
            await self._leave_out(shadow, job, "its article or its report is gone")
            return
        seen = ComplianceReport.model_validate_json(text)
        known = {rule.id for rule in agent.spec.pack.guidelines}
        shared = tuple(outcome.guideline for outcome in seen.outcomes if outcome.guideline in known)
        if not shared:
            await self._leave_out(shadow, job, "the versions share none of its guidelines")
            return
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                unseen = await agent.check(load_article(data), guidelines=shared)
        except TimeoutError:
            await self._leave_out(shadow, job, f"it took longer than {CHECK_SECONDS:g} seconds")
            return
        await self._store(shadow, job, seen, unseen)

    async def _store(self, shadow: Shadow, job: Job, seen: ComplianceReport, unseen: ComplianceReport) -> None:
        calls, cost, now = unseen.usage.calls, unseen.usage.cost or 0.0, self._clock()
        if unseen.status is ReportStatus.COMPLETE:
            await self._shadows.compared(shadow, job, compare(seen, unseen), calls=calls, cost=cost, now=now)
        else:
            reason = f"the challenger's report is {unseen.status}"
            await self._shadows.left_out(shadow, job, reason, calls=calls, cost=cost, now=now)
        logger.info("job %s was checked by version %s in the shadow", job.id, shadow.version)
        if unseen.usage.cost is None and shadow.budget is not None:
            reason = "its model isn't in the price table (COPYDESK_MODEL_PRICES), so its cost isn't known"
            await self._shadows.stop(shadow, reason, now, by=WORKER)

    async def _leave_out(self, shadow: Shadow, job: Job, reason: str) -> None:
        await self._shadows.left_out(shadow, job, reason, calls=0, cost=0.0, now=self._clock())
