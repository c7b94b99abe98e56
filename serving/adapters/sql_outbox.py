"""Finished jobs on their way to MLflow, in the database."""

from datetime import datetime

from sqlalchemy import func, select, update

from agent.report import ComplianceReport
from serving.adapters.database import Database
from serving.adapters.tables import job_of, jobs, outbox, results
from serving.ports import LogEntry


class SqlOutbox:
    """An entry is due until it is logged; entries go in the order in which they fell due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: datetime) -> LogEntry | None:
        query = (
            select(jobs, outbox.c.attempts, results.c.report)
            .join(outbox, outbox.c.job_id == jobs.c.id)
            .join(results, results.c.job_id == jobs.c.id)
            .where(outbox.c.due_at <= now)
            .order_by(outbox.c.due_at, jobs.c.id)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        return LogEntry(job_of(row), ComplianceReport.model_validate_json(row["report"]), row["attempts"])

    async def logged(self, job_id: str, run_id: str) -> None:
        await self._update(job_id, due_at=None, run_id=run_id, reason="")

    async def postponed(self, job_id: str, until: datetime, reason: str) -> None:
        await self._update(job_id, due_at=until, reason=reason, attempts=outbox.c.attempts + 1)

    async def waiting(self) -> int:
        query = select(func.count()).select_from(outbox).where(outbox.c.due_at.is_not(None))
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def _update(self, job_id: str, **values: object) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(outbox).where(outbox.c.job_id == job_id).values(**values))
