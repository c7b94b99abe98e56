"""How much is to be done, by one question to the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from serving.adapters.database import Database
from serving.adapters.sql_jobs import DEAD, QUEUED
from serving.adapters.sql_leases import RUNNING
from serving.adapters.tables import jobs, outbox
from serving.ports.jobs import Backlog

UNLOGGED = outbox.c.due_at.is_not(None)


class SqlBacklog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, now: datetime) -> Backlog:
        """Raises DatabaseUnavailable."""
        unlogged = select(func.count()).select_from(outbox).where(UNLOGGED)
        ended = select(func.min(jobs.c.finished_at)).join(outbox, outbox.c.job_id == jobs.c.id).where(UNLOGGED)
        query = select(
            _count(QUEUED).scalar_subquery().label("waiting"),
            select(func.min(jobs.c.submitted_at)).where(QUEUED).scalar_subquery().label("oldest_waiting"),
            _count(RUNNING).scalar_subquery().label("running"),
            _count(DEAD).scalar_subquery().label("dead"),
            unlogged.scalar_subquery().label("unlogged"),
            ended.scalar_subquery().label("oldest_unlogged"),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one()
        return Backlog(
            waiting=row["waiting"],
            oldest_waiting_seconds=_age(row["oldest_waiting"], now),
            running=row["running"],
            dead=row["dead"],
            unlogged=row["unlogged"],
            oldest_unlogged_seconds=_age(row["oldest_unlogged"], now),
        )


def _count(condition: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(jobs).where(condition)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
