"""Ended jobs on their way to MLflow, in the database."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, select, update

from agent.report import ComplianceReport
from serving.adapters.database import Database
from serving.adapters.tables import job_of, jobs, outbox, recordings, results
from serving.job import ENDED
from serving.ports.log import LogEntry

# Not of a job that was given up and queued again before its run was logged: it is logged when it ends anew.
OF_ENDED = and_(outbox.c.job_id == jobs.c.id, jobs.c.status.in_([status.value for status in ENDED]))
LOGGED = and_(outbox.c.due_at.is_(None), outbox.c.reason == "")
GIVEN_UP = and_(outbox.c.due_at.is_(None), outbox.c.reason != "")


class SqlOutbox:
    """An entry is due until it is logged or given up; entries go in the order in which they fell due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_due(self, now: datetime) -> bool:
        async with self._database.read() as connection:
            return (
                await connection.execute(
                    select(outbox.c.job_id).join(jobs, OF_ENDED).where(outbox.c.due_at <= now).limit(1)
                )
            ).first() is not None

    async def claim(self, now: datetime, hold: timedelta) -> LogEntry | None:
        async with self._database.read() as connection:  # an idle worker must not hold up writers
            if (await connection.execute(_next_due(now))).first() is None:
                return None
        async with self._database.write() as connection:
            due = _next_due(now).with_for_update(skip_locked=True, of=outbox)
            row = (await connection.execute(due)).mappings().first()
            if row is None:
                return None
            attempt = row["attempts"] + 1
            held = update(outbox).where(outbox.c.job_id == row["id"]).values(due_at=now + hold, attempts=attempt)
            await connection.execute(held)
        report = ComplianceReport.model_validate_json(row["report"]) if row["report"] else None
        return LogEntry(job_of(row), report, attempt, row["recording"], row["run_id"])

    async def began(self, entry: LogEntry, run_id: str) -> bool:
        return await self._update(entry, run_id=run_id)

    async def logged(self, entry: LogEntry, run_id: str) -> bool:
        if not await self._update(entry, due_at=None, run_id=run_id, reason=""):
            return False
        if entry.recording is not None:  # MLflow has it now
            async with self._database.write() as connection:
                await connection.execute(delete(recordings).where(recordings.c.job_id == entry.job.id))
        return True

    async def postponed(self, entry: LogEntry, until: datetime, reason: str) -> bool:
        return await self._update(entry, due_at=until, reason=reason)

    async def _update(self, entry: LogEntry, **values: object) -> bool:
        own = (outbox.c.job_id == entry.job.id) & (outbox.c.attempts == entry.attempt) & outbox.c.due_at.is_not(None)
        async with self._database.write() as connection:
            return bool((await connection.execute(update(outbox).where(own).values(**values))).rowcount)


def _next_due(now: datetime) -> Select[Any]:
    return (
        select(jobs, outbox.c.attempts, outbox.c.run_id, results.c.report, recordings.c.recording)
        .join(outbox, OF_ENDED)
        .outerjoin(results, results.c.job_id == jobs.c.id)
        .outerjoin(recordings, recordings.c.job_id == jobs.c.id)
        .where(outbox.c.due_at <= now)
        .order_by(outbox.c.due_at, jobs.c.id)
        .limit(1)
    )
