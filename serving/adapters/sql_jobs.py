"""Jobs in the database, as a store for the API and as a queue for workers."""

from datetime import datetime, timedelta

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.report import ComplianceReport
from serving.adapters.database import Database
from serving.adapters.tables import job_of, jobs, outbox, recordings, results, row_of, state_of
from serving.job import Job, JobStatus
from serving.ports import Submission

LOST = "its worker went silent"


class SqlJobStore:
    """Jobs as the API sees them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, submission: Submission) -> None:
        row = row_of(submission.job) | {
            "idempotency_key": submission.idempotency_key or None,
            "request_hash": submission.request_hash,
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(jobs), row)
        except IntegrityError:
            if not submission.idempotency_key:
                raise
            # The same key was first; the use case finds that job.

    async def get(self, job_id: str) -> Job | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).mappings().first()
        return job_of(row) if row else None

    async def by_idempotency_key(self, user: str, key: str) -> tuple[Job, str] | None:
        query = select(jobs).where(jobs.c.user_id == user, jobs.c.idempotency_key == key)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return (job_of(row), row["request_hash"]) if row else None

    async def position(self, job: Job) -> int:
        earlier = or_(
            jobs.c.submitted_at < job.submitted, and_(jobs.c.submitted_at == job.submitted, jobs.c.id < job.id)
        )
        return 1 + await self._count(jobs.c.status == JobStatus.QUEUED.value, earlier)

    async def waiting(self) -> int:
        return await self._count(jobs.c.status == JobStatus.QUEUED.value)

    async def result(self, job_id: str) -> str | None:
        async with self._database.read() as connection:
            return await connection.scalar(select(results.c.report).where(results.c.job_id == job_id))

    async def cancel(self, job_id: str, now: datetime) -> Job | None:
        async with self._database.write() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).mappings().first()
            if row is None or job_of(row).ended:
                return None
            cancelled = job_of(row).ended_as(JobStatus.CANCELLED, now)
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(state_of(cancelled)))
        return cancelled

    async def _count(self, *conditions: object) -> int:
        query = select(func.count()).select_from(jobs).where(*conditions)  # type: ignore[arg-type]
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)


class SqlJobQueue:
    """Jobs as workers see them. Every write holds only for the current attempt of a running job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, code_digest: str, now: datetime, lease: timedelta) -> Job | None:
        query = (
            select(jobs)
            .where(jobs.c.status == JobStatus.QUEUED.value, jobs.c.code_digest == code_digest)
            .order_by(jobs.c.submitted_at, jobs.c.id)
            .limit(1)
        )
        async with self._database.read() as connection:  # an idle worker must not hold up writers
            if (await connection.execute(query)).first() is None:
                return None
        async with self._database.write() as connection:
            row = (await connection.execute(query)).mappings().first()
            if row is None:
                return None
            job = job_of(row).claimed(now, lease)
            await connection.execute(update(jobs).where(jobs.c.id == job.id).values(state_of(job)))
        return job

    async def renew(self, job: Job, until: datetime) -> bool:
        async with self._database.write() as connection:
            return await _update_own(connection, job, lease_until=until)

    async def progress(self, job: Job, done: int, total: int, guideline: str) -> bool:
        async with self._database.write() as connection:
            return await _update_own(connection, job, done=done, total=total, guideline=guideline)

    async def stumbled(self, job: Job, reason: str) -> bool:
        async with self._database.write() as connection:
            return await _update_own(connection, job, reason=reason)

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> bool:
        async with self._database.write() as connection:
            if not await _update_own(connection, job, **state_of(job)):
                return False
            if report is not None:
                await connection.execute(insert(results), {"job_id": job.id, "report": report.model_dump_json()})
                entry = {"job_id": job.id, "attempts": 0, "due_at": job.finished, "reason": "", "run_id": ""}
                await connection.execute(insert(outbox), entry)
            if recording is not None:
                await connection.execute(insert(recordings), {"job_id": job.id, "recording": recording})
        return True

    async def give_back(self, now: datetime, *, max_attempts: int) -> int:
        lost = select(jobs).where(jobs.c.status == JobStatus.RUNNING.value, jobs.c.lease_until < now)
        async with self._database.read() as connection:
            if (await connection.execute(lost)).first() is None:
                return 0
        async with self._database.write() as connection:
            rows = (await connection.execute(lost)).mappings().all()
            for row in rows:
                job = job_of(row)
                job = job.given_back(now, max_attempts=max_attempts, reason=job.reason or LOST)
                await connection.execute(update(jobs).where(jobs.c.id == job.id).values(state_of(job)))
        return len(rows)


async def _update_own(connection: AsyncConnection, job: Job, **values: object) -> bool:
    own = and_(jobs.c.id == job.id, jobs.c.status == JobStatus.RUNNING.value, jobs.c.attempt == job.attempt)
    return bool((await connection.execute(update(jobs).where(own).values(**values))).rowcount)
