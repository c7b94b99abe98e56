"""Leases that compare what answered a finished job with what answered when its version was evaluated."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.check import AnsweredBy
from agent.errors import CopydeskError
from agent.report import ComplianceReport
from serving.job import Job
from serving.model_change import ExpiresOn, change_of
from serving.ports.clocks import Clock
from serving.ports.jobs import Leases
from serving.ports.versions import EvidenceKept

logger = logging.getLogger(__name__)


class WatchedLeases:
    """What it has seen of a version is remembered, so a check costs a look into a set, and news are told once."""

    def __init__(self, leases: Leases, kept: EvidenceKept, on: ExpiresOn, clock: Clock) -> None:
        self._leases, self._kept, self._on, self._clock = leases, kept, on, clock
        self._seen: dict[tuple[str, str], set[AnsweredBy]] = {}  # by version and the record it served by

    async def claim(self, job_id: str, attempt: int, now: datetime, lease: timedelta) -> Job | None:
        return await self._leases.claim(job_id, attempt, now, lease)

    async def renew(self, job: Job, until: datetime) -> bool:
        return await self._leases.renew(job, until)

    async def progress(self, job: Job, checked: Sequence[str], total: int) -> Job | None:
        return await self._leases.progress(job, checked, total)

    async def retry(self, job: Job, now: datetime, reason: str, *, pause: timedelta, max_attempts: int) -> Job | None:
        return await self._leases.retry(job, now, reason, pause=pause, max_attempts=max_attempts)

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> Job | None:
        stored = await self._leases.finish(job, report, recording)
        if stored is not None and report is not None and report.usage.answered_by:
            try:
                await self._look(report)
            except CopydeskError as error:  # the job is stored; what answered is compared at the next one
                logger.warning("what answered job %s can't be compared now: %s", job.id, error)
        return stored

    async def hand_back(self, job: Job, reason: str, *, due: datetime | None = None) -> Job | None:
        return await self._leases.hand_back(job, reason, due=due)

    async def give_back(self, now: datetime, *, max_attempts: int) -> list[Job]:
        return await self._leases.give_back(now, max_attempts=max_attempts)

    async def _look(self, report: ComplianceReport) -> None:
        number, answered = report.version.number, report.usage.answered_by
        seen = self._seen.get((number, report.version.record), set())
        if seen.issuperset(answered):
            return
        evidence = await self._kept.of(number)
        if evidence is None:  # a worker may tell of it later, under the same record
            return
        change = change_of(evidence.answered_by, answered)
        if change is not None:
            await self._kept.note(number, change.new)
            if not change.ends(self._on):
                logger.info("version %s: %s; noted", number, change)
            elif await self._kept.expire(number, str(change), self._clock(), record=evidence.record):
                logger.warning("the evidence of version %s has expired: %s", number, change)
        self._seen[number, report.version.record] = seen | set(answered)
