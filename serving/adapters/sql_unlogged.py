"""What MLflow hasn't been told of ended jobs, in the database."""

from datetime import datetime

from sqlalchemy import Select, Subquery, Table, and_, exists, func, literal, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.access.audit import Actor
from serving.adapters.database import Database
from serving.adapters.feedback_tables import feedback_outbox
from serving.adapters.sql_audit import note
from serving.adapters.sql_feedback_outbox import OF_LOGGED
from serving.adapters.sql_outbox import OF_ENDED
from serving.adapters.tables import jobs, outbox
from serving.ports.log import Lacking, Unlogged, UnloggedCount

OUTBOXES = {Lacking.RUN: outbox, Lacking.DECISIONS: feedback_outbox}
LIVE = {Lacking.RUN: exists().where(OF_ENDED), Lacking.DECISIONS: exists().where(OF_LOGGED)}  # of those that count


class SqlUnlogged:
    """What was given up is no longer due and has a reason; what MLflow has, has none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, limit: int) -> list[Unlogged]:
        of = (found := _unlogged()).c
        query = select(found).order_by(of.due_at.is_(None), of.finished_at, of.id, of.lacking).limit(limit)
        async with self._database.read() as connection:
            return [
                Unlogged(row.id, Lacking(row.lacking), row.finished_at, row.attempts, row.due_at, row.reason)
                for row in await connection.execute(query)
            ]

    async def count(self) -> UnloggedCount:
        found = _unlogged()
        query = select(func.count(), func.count(found.c.due_at)).select_from(found)
        async with self._database.read() as connection:
            whole, due = (await connection.execute(query)).one()
        return UnloggedCount(due, whole - due)

    async def is_given_up(self, job_id: str) -> bool:
        found = _unlogged()
        query = select(found.c.id).where(found.c.id == job_id, found.c.due_at.is_(None))
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def give_up(self, job_id: str, reason: str, by: Actor, now: datetime) -> bool:
        async with self._database.write() as connection:
            done = [await _give_up(connection, each, job_id, f"stopped by {by.user}: {reason}") for each in Lacking]
            if any(done):
                await note(connection, by, "job.stop-logging", job_id, reason, now=now)
        return any(done)

    async def log_again(self, job_id: str, by: Actor, now: datetime) -> bool:
        async with self._database.write() as connection:
            done = [await _log_again(connection, table, job_id, now) for table in OUTBOXES.values()]
            if any(done):
                await note(connection, by, "job.log-again", job_id, now=now)
        return any(done)


def _unlogged() -> Subquery:
    runs = _columns(Lacking.RUN).join(outbox, OF_ENDED)
    decisions = _columns(Lacking.DECISIONS).join(feedback_outbox, feedback_outbox.c.job_id == jobs.c.id)
    return union_all(_open(runs, outbox), _open(decisions.join(outbox, OF_LOGGED), feedback_outbox)).subquery()


def _columns(lacking: Lacking) -> Select[tuple[object, ...]]:
    of = OUTBOXES[lacking].c
    return select(
        jobs.c.id, literal(lacking.value).label("lacking"), jobs.c.finished_at, of.attempts, of.due_at, of.reason
    )


def _open(found: Select[tuple[object, ...]], table: Table) -> Select[tuple[object, ...]]:
    given_up = and_(table.c.due_at.is_(None), table.c.reason != "")  # as its index has it
    return found.where(or_(table.c.due_at.is_not(None), given_up))


async def _give_up(connection: AsyncConnection, lacking: Lacking, job_id: str, why: str) -> bool:
    table = OUTBOXES[lacking]
    own = and_(table.c.job_id == job_id, table.c.due_at.is_not(None), LIVE[lacking])
    before = await connection.scalar(select(table.c.reason).where(own).with_for_update())
    if before is None:
        return False
    reason = f"{why} (before: {before})" if before else why
    ended = {"due_at": None, "reason": reason, "attempts": table.c.attempts + 1}  # attempts fence
    await connection.execute(update(table).where(table.c.job_id == job_id).values(ended))
    return True


async def _log_again(connection: AsyncConnection, table: Table, job_id: str, now: datetime) -> bool:
    own = and_(table.c.job_id == job_id, table.c.due_at.is_(None), table.c.reason != "")
    return bool((await connection.execute(update(table).where(own).values(due_at=now, reason=""))).rowcount)
