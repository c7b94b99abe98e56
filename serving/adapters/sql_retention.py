"""What is old in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update

from serving.adapters.access_tables import audit
from serving.adapters.batch_tables import batches
from serving.adapters.database import Database
from serving.adapters.feedback_tables import feedback, feedback_approvals, feedback_outbox
from serving.adapters.sql_outbox import GIVEN_UP
from serving.adapters.tables import jobs, outbox
from serving.job import ENDED

MOST_KEYS = 500  # in one statement


class SqlRetention:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget_jobs(self, before: datetime, limit: int) -> int:
        some = select(jobs.c.id).where(_old(before)).order_by(jobs.c.submitted_at).limit(limit)
        async with self._database.write() as connection:
            ids = list((await connection.execute(some)).scalars())
            # What editors decided stays for the figures; what they wrote may quote the article.
            said = select(feedback.c.id).where(feedback.c.job_id.in_(ids))
            of_approval = feedback_approvals.c.feedback_id.in_(said)
            await connection.execute(update(feedback_approvals).where(of_approval).values(comment=""))
            await connection.execute(update(feedback).where(feedback.c.job_id.in_(ids)).values(comment=""))
            return (await connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))).rowcount

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
    ended = jobs.c.status.in_([status.value for status in ENDED])
    unlogged = exists().where(outbox.c.job_id == jobs.c.id, outbox.c.due_at.is_not(None))
    # Of a run that was given up the decisions would wait for ever.
    given_up = exists().where(outbox.c.job_id == feedback_outbox.c.job_id, GIVEN_UP)
    waits = and_(feedback_outbox.c.job_id == jobs.c.id, feedback_outbox.c.due_at.is_not(None), ~given_up)
    return and_(ended, jobs.c.submitted_at < before, ~unlogged, ~exists().where(waits))
