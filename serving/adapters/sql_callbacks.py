"""Calls to clients' own addresses that are to be made, in the database."""

from datetime import datetime, timedelta

from sqlalchemy import RowMapping, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.finding import Severity
from serving.adapters.batch_tables import batches
from serving.adapters.callback_tables import callbacks
from serving.adapters.database import Database
from serving.adapters.sql_batches import SqlBatches, batch_of
from serving.adapters.tables import compliance_results, job_of, jobs, results
from serving.callback import Callback, CallbackStanding, EndedBatch, EndedJob

UNANSWERED = callbacks.c.due_at.is_not(None) | (callbacks.c.reason != "")


class SqlCallbacks:
    """A call is due until it is answered or given up; calls go in the order in which they fell due."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches = SqlBatches(database)

    async def is_due(self, now: datetime) -> bool:
        return bool(await self._database.fetch(_due(now).limit(1)))

    async def claim(self, now: datetime, hold: timedelta) -> Callback | None:
        async with self._database.write() as connection:
            due = _due(now).order_by(callbacks.c.due_at, callbacks.c.message).limit(1)
            row = (await connection.execute(due.with_for_update(skip_locked=True))).mappings().first()
            if row is None:
                return None
            attempt = row["attempts"] + 1
            held = update(callbacks).where(callbacks.c.message == row["message"])
            await connection.execute(held.values(due_at=now + hold, attempts=attempt))
        return Callback(row["message"], row["url"], await self._ended(row), attempt)

    async def answered(self, callback: Callback) -> bool:
        return await self._update(callback, due_at=None, reason="")

    async def postponed(self, callback: Callback, until: datetime | None, reason: str) -> bool:
        return await self._update(callback, due_at=until, reason=reason)

    async def unanswered(self, limit: int) -> list[CallbackStanding]:
        query = select(callbacks).where(UNANSWERED).order_by(callbacks.c.due_at.desc().nulls_last()).limit(limit)
        return [
            CallbackStanding(
                row["job_id"] or "", row["batch_id"] or "", row["url"], row["attempts"], row["due_at"], row["reason"]
            )
            for row in await self._database.fetch(query)
        ]

    async def count_unanswered(self) -> int:
        query = select(func.count().label("calls")).select_from(callbacks).where(UNANSWERED)
        (row,) = await self._database.fetch(query)
        return int(row["calls"])

    async def _ended(self, row: RowMapping) -> EndedJob | EndedBatch:
        async with self._database.read() as connection:
            if row["batch_id"] is None:
                return await _ended_job(connection, row["job_id"])
            of = select(batches).where(batches.c.id == row["batch_id"])
            batch = batch_of((await connection.execute(of)).mappings().one())
        return EndedBatch(batch, await self._batches.progress(batch.id))

    async def _update(self, callback: Callback, **values: object) -> bool:
        own = (callbacks.c.message == callback.message) & (callbacks.c.attempts == callback.attempt)
        waiting = update(callbacks).where(own, callbacks.c.due_at.is_not(None))
        async with self._database.write() as connection:
            return bool((await connection.execute(waiting.values(**values))).rowcount)


def _due(now: datetime) -> Select[tuple[object, ...]]:
    return select(callbacks).where(callbacks.c.due_at <= now)


async def _ended_job(connection: AsyncConnection, job_id: str) -> EndedJob:
    found = select(jobs, results.c.score).outerjoin(results, results.c.job_id == jobs.c.id).where(jobs.c.id == job_id)
    row = (await connection.execute(found)).mappings().one()
    of = compliance_results.c
    counts = (
        select(of.severity, func.sum(of.findings).label("findings")).where(of.job_id == job_id).group_by(of.severity)
    )
    by_severity = {row.severity: row.findings for row in await connection.execute(counts)}
    return EndedJob(job_of(row), row["score"], {severity: by_severity.get(severity, 0) for severity in Severity})
