"""Running jobs in the database, as workers see them. Every write holds only for the attempt that runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.report import ComplianceReport
from serving.adapters.database import Database
from serving.adapters.endings import tell_of_end
from serving.adapters.sql_jobs import Enqueue, in_the_table
from serving.adapters.tables import (
    compliance_results,
    findings,
    job_of,
    jobs,
    recordings,
    results,
    state_of,
)
from serving.job import Job, JobStatus

LOST = "its worker went silent"
RUNNING = jobs.c.status == JobStatus.RUNNING.value
CHANGED = {"revision": jobs.c.revision + 1}


class SqlLeases:
    """A job belongs to an attempt from its claim until it ends, goes back, or its lease runs out."""

    def __init__(self, database: Database, enqueue: Enqueue = in_the_table) -> None:
        self._database = database
        self._enqueue = enqueue

    async def claim(self, job_id: str, attempt: int, now: datetime, lease: timedelta) -> Job | None:
        waiting = and_(jobs.c.id == job_id, jobs.c.status == JobStatus.QUEUED.value, jobs.c.attempt == attempt - 1)
        values = {
            "status": JobStatus.RUNNING.value,
            "attempt": attempt,
            "done": 0,
            "guideline": "",
            "checked": "",
            "reason": "",
            "started_at": now,
            "lease_until": now + lease,
            "due_at": None,
        }
        claimed = update(jobs).where(waiting).values(values | CHANGED).returning(jobs)
        async with self._database.write() as connection:
            row = (await connection.execute(claimed)).mappings().first()
        return job_of(row) if row else None

    async def renew(self, job: Job, until: datetime) -> bool:
        async with self._database.write() as connection:
            renewed = await connection.execute(update(jobs).where(_own(job)).values(lease_until=until))
        return bool(renewed.rowcount)

    async def progress(self, job: Job, checked: Sequence[str], total: int) -> Job | None:
        values = {"done": len(checked), "total": total, "guideline": checked[-1], "checked": ",".join(checked)}
        async with self._database.write() as connection:
            return await _update_own(connection, job, **values)

    async def retry(self, job: Job, now: datetime, reason: str, *, pause: timedelta, max_attempts: int) -> Job | None:
        back = job.given_back(now, max_attempts=max_attempts, reason=reason, pause=pause)
        async with self._database.write() as connection:
            return await self._go_back(connection, job, back)

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> Job | None:
        async with self._database.write() as connection:
            stored = await _update_own(connection, job, **state_of(job))
            if stored is None:
                return None
            if report is not None:
                await _store_report(connection, job, report)
            if recording is not None:
                await connection.execute(insert(recordings), {"job_id": job.id, "recording": recording})
            await tell_of_end(connection, stored)
        return stored

    async def hand_back(self, job: Job, reason: str, *, due: datetime | None = None) -> Job | None:
        async with self._database.write() as connection:
            return await self._go_back(connection, job, job.handed_back(reason, due))

    async def give_back(self, now: datetime, *, max_attempts: int) -> list[Job]:
        lost = select(jobs).where(RUNNING, jobs.c.lease_until < now)
        if not await self._database.fetch(lost.limit(1)):  # most often there is none: no writer is held up
            return []
        given: list[Job] = []
        async with self._database.write() as connection:
            rows = (await connection.execute(lost.with_for_update(skip_locked=True))).mappings().all()
            for job in map(job_of, rows):
                back = job.given_back(now, max_attempts=max_attempts, reason=job.reason or LOST)
                if stored := await self._go_back(connection, job, back):
                    given.append(stored)
        return given

    async def _go_back(self, connection: AsyncConnection, job: Job, back: Job) -> Job | None:
        stored = await _update_own(connection, job, **state_of(back))
        if stored and stored.ended:
            await tell_of_end(connection, stored)
        elif stored:
            await connection.run_sync(self._enqueue, [stored])
        return stored


async def _store_report(connection: AsyncConnection, job: Job, report: ComplianceReport) -> None:
    await connection.execute(insert(results), _result(job, report))
    outcomes = [
        {
            "job_id": job.id,
            "guideline_id": outcome.guideline,
            "severity": outcome.severity.value,
            "verdict": outcome.verdict.value,
            "method": outcome.method.value if outcome.method else None,
            "findings": outcome.findings,
            "unanchored": outcome.unanchored,
        }
        for outcome in report.outcomes
    ]
    found = [
        {"job_id": job.id, "number": number, "guideline_id": finding.guideline, "fingerprint": finding.fingerprint}
        for number, finding in enumerate(report.findings)
    ]
    if outcomes:
        await connection.execute(insert(compliance_results), outcomes)
    if found:
        await connection.execute(insert(findings), found)


def _result(job: Job, report: ComplianceReport) -> dict[str, object]:
    return {
        "job_id": job.id,
        "report": report.model_dump_json(),
        "score": report.score.value if report.score else None,
        "words": report.article.words,
        "cost": report.usage.cost,
        "input_tokens": report.usage.input_tokens,
        "output_tokens": report.usage.output_tokens,
        "seconds": report.seconds,
    }


def _own(job: Job) -> ColumnElement[bool]:
    return and_(jobs.c.id == job.id, RUNNING, jobs.c.attempt == job.attempt)


async def _update_own(connection: AsyncConnection, job: Job, **values: object) -> Job | None:
    changed = update(jobs).where(_own(job)).values(values | CHANGED).returning(jobs)
    row = (await connection.execute(changed)).mappings().first()
    return job_of(row) if row else None
