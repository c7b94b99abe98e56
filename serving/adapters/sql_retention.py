"""What is old in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, select

from serving.adapters.access_tables import audit
from serving.adapters.batch_tables import batches
from serving.adapters.database import Database
from serving.adapters.tables import jobs, outbox
from serving.job import ENDED

MOST_KEYS = 500  # in one statement


class SqlRetention:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget_jobs(self, before: datetime, limit: int) -> int:
        some = select(jobs.c.id).where(_old(before)).order_by(jobs.c.submitted_at).limit(limit)
        async with self._database.write() as connection:
            return (await connection.execute(delete(jobs).where(jobs.c.id.in_(some)))).rowcount

    async def forget_batches(self, before: datetime) -> int:
        empty = ~exists().where(jobs.c.batch_id == batches.c.id)
        async with self._database.write() as connection:
            return (await connection.execute(delete(batches).where(batches.c.submitted_at < before, empty))).rowcount

    async def forget_audit(self, before: datetime) -> int:
        async with self._database.write() as connection:
            return (await connection.execute(delete(audit).where(audit.c.at < before))).rowcount

    async def old(self, *, articles: datetime, entries: datetime) -> tuple[int, int]:
        old_jobs = select(func.count()).select_from(jobs).where(_old(articles))
        old_entries = select(func.count()).select_from(audit).where(audit.c.at < entries)
        async with self._database.read() as connection:
            return await connection.scalar(old_jobs) or 0, await connection.scalar(old_entries) or 0

    async def used(self, blobs: Sequence[str]) -> set[str]:
        found: set[str] = set()
        async with self._database.read() as connection:
            for start in range(0, len(blobs), MOST_KEYS):
                part = list(blobs[start : start + MOST_KEYS])
                found.update((await connection.execute(select(jobs.c.blob).where(jobs.c.blob.in_(part)))).scalars())
        return found


def _old(before: datetime) -> ColumnElement[bool]:
    untold = exists().where(outbox.c.job_id == jobs.c.id, outbox.c.due_at.is_not(None))
    ended = jobs.c.status.in_([status.value for status in ENDED])
    return and_(ended, jobs.c.submitted_at < before, ~untold)
