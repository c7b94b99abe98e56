"""How findings and jobs hang together, in the database."""

from sqlalchemy import select

from serving.adapters.database import Database
from serving.adapters.sql_feedback import document_column
from serving.adapters.sql_outbox import LOGGED
from serving.adapters.tables import findings, job_of, jobs, outbox
from serving.feedback import document_of
from serving.job import Job, JobStatus


class SqlTrail:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def before(self, job: Job) -> Job | None:
        """Reads the index of a user's documents, or of a text's jobs."""
        same = jobs.c.document_id == job.request.document_id
        if not job.request.document_id:
            same = same & (jobs.c.blob == job.blob)
        query = (
            select(jobs)
            .where(jobs.c.user_id == job.request.user, same, document_column() == document_of(job))
            .where(jobs.c.status == JobStatus.COMPLETED.value, jobs.c.submitted_at < job.submitted)
            .order_by(jobs.c.submitted_at.desc())
            .limit(1)
        )
        found = await self._database.fetch(query)
        return job_of(found[0]) if found else None

    async def jobs_with(self, fingerprint: str) -> list[Job]:
        found = select(findings.c.job_id).where(findings.c.fingerprint == fingerprint)
        query = select(jobs).where(jobs.c.id.in_(found)).order_by(jobs.c.submitted_at.desc(), jobs.c.id.desc())
        return [job_of(row) for row in await self._database.fetch(query)]

    async def run_of(self, job_id: str) -> str:
        found = await self._database.fetch(select(outbox.c.run_id).where(outbox.c.job_id == job_id, LOGGED))
        return str(found[0]["run_id"]) if found else ""
