"""How much is to be done, by one question to the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, cast, func, or_, select, union_all
from sqlalchemy.dialects.postgresql import JSONB

from serving.adapters.database import Database
from serving.adapters.sql_jobs import DEAD, QUEUED
from serving.adapters.sql_leases import RUNNING
from serving.adapters.tables import jobs, outbox, served_versions
from serving.job import JobStatus
from serving.ports.jobs import Backlog
from serving.usecases.readiness import SILENCE

UNLOGGED = outbox.c.due_at.is_not(None)


class SqlBacklog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, now: datetime) -> Backlog:
        """Raises DatabaseUnavailable."""
        unlogged = select(func.count()).select_from(outbox).where(UNLOGGED)
        ended = select(func.min(jobs.c.finished_at)).join(outbox, outbox.c.job_id == jobs.c.id).where(UNLOGGED)
        stranded = self._stranded(now)
        bound_to = select(jobs.c.version).where(stranded).distinct().subquery()
        query = select(
            _count(QUEUED).scalar_subquery().label("waiting"),
            select(func.min(jobs.c.submitted_at)).where(QUEUED).scalar_subquery().label("oldest_waiting"),
            _count(RUNNING).scalar_subquery().label("running"),
            _count(DEAD).scalar_subquery().label("dead"),
            unlogged.scalar_subquery().label("unlogged"),
            ended.scalar_subquery().label("oldest_unlogged"),
            _count(stranded).scalar_subquery().label("stranded"),
            select(func.aggregate_strings(bound_to.c.version, ",")).scalar_subquery().label("stranded_versions"),
        )
        (row,) = await self._database.fetch(query)
        return Backlog(
            waiting=row["waiting"],
            oldest_waiting_seconds=_age(row["oldest_waiting"], now),
            running=row["running"],
            dead=row["dead"],
            unlogged=row["unlogged"],
            oldest_unlogged_seconds=_age(row["oldest_unlogged"], now),
            stranded=row["stranded"],
            stranded_versions=_numbers(row["stranded_versions"]),
        )

    def _stranded(self, now: datetime) -> ColumnElement[bool]:
        """Those that a worker of their code, if there were one, would take now or be too busy for."""
        due = or_(jobs.c.due_at.is_(None), jobs.c.due_at <= now)
        return and_(QUEUED, due, jobs.c.code_digest.not_in(self._living(now)))

    def _living(self, now: datetime) -> CompoundSelect[Any]:
        """The code that living workers have: of what they say they serve, and of what they run.

        One that was started when another release was champion says nothing, and takes jobs of its own.
        """
        stamp, running = served_versions.c.stamp, jobs.alias("running")
        postgres = self._database.is_postgres
        served = cast(stamp, JSONB)["code_digest"].astext if postgres else func.json_extract(stamp, "$.code_digest")
        held = and_(running.c.status == JobStatus.RUNNING.value, running.c.lease_until > now)
        return union_all(
            select(served).where(served_versions.c.served_at >= now - SILENCE),
            select(running.c.code_digest).where(held),
        )


def _count(condition: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(jobs).where(condition)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _numbers(listed: str | None) -> tuple[str, ...]:
    return tuple(sorted(listed.split(","), key=lambda number: (len(number), number))) if listed else ()
