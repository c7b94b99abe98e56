"""Leases that tell of each change of a job that a client can see."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from agent.report import ComplianceReport
from serving.job import Job
from serving.ports.jobs import Leases

Changed = Callable[[Job], Awaitable[None]]


class AnnouncedLeases:
    """The change is stored by then; a teller that dies in between leaves the cache behind for seconds."""

    def __init__(self, leases: Leases, changed: Changed) -> None:
        self._leases = leases
        self._changed = changed

    async def claim(self, job_id: str, attempt: int, now: datetime, lease: timedelta) -> Job | None:
        return await self._told(await self._leases.claim(job_id, attempt, now, lease))

    async def renew(self, job: Job, until: datetime) -> bool:
        return await self._leases.renew(job, until)

    async def progress(self, job: Job, checked: Sequence[str], total: int) -> Job | None:
        return await self._told(await self._leases.progress(job, checked, total))

    async def retry(self, job: Job, now: datetime, reason: str, *, pause: timedelta, max_attempts: int) -> Job | None:
        return await self._told(await self._leases.retry(job, now, reason, pause=pause, max_attempts=max_attempts))

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> Job | None:
        return await self._told(await self._leases.finish(job, report, recording))

    async def hand_back(self, job: Job, reason: str, *, due: datetime | None = None) -> Job | None:
        return await self._told(await self._leases.hand_back(job, reason, due=due))

    async def give_back(self, now: datetime, *, max_attempts: int) -> list[Job]:
        given = await self._leases.give_back(now, max_attempts=max_attempts)
        for job in given:
            await self._changed(job)
        return given

    async def _told(self, job: Job | None) -> Job | None:
        if job is not None:
            await self._changed(job)
        return job
