"""Rollouts in the database, and the jobs they are judged by."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, insert, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.check import Verdict
from agent.finding import Method
from serving.access.audit import Actor
from serving.adapters.database import Database
from serving.adapters.rollout_tables import rollouts
from serving.adapters.sql_audit import note
from serving.adapters.tables import compliance_results, jobs
from serving.errors import RolloutRunning
from serving.job import JobStatus
from serving.rollout import Evidence, JobFacts, Rollout, RolloutPolicy, State

ENDED = (JobStatus.COMPLETED.value, JobStatus.PARTIAL.value, JobStatus.FAILED.value)  # who cancels says nothing


class SqlRollouts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> datetime:
        return await self._database.now()

    async def active(self) -> Rollout | None:
        found = await self._database.fetch(select(rollouts).where(rollouts.c.active))
        return _rollout(found[0]) if found else None

    async def latest(self, limit: int) -> list[Rollout]:
        query = select(rollouts).order_by(rollouts.c.started_at.desc()).limit(limit)
        return [_rollout(row) for row in await self._database.fetch(query)]

    async def start(self, rollout: Rollout) -> None:
        row = _state(rollout) | {
            "id": rollout.id,
            "challenger": rollout.challenger,
            "champion": rollout.champion,
            "policy": rollout.policy.model_dump_json(),
            "signed": rollout.signed,
            "user_id": rollout.who,
            "started_at": rollout.started,
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(rollouts), row)
                await _note(connection, rollout, Actor(rollout.who, "command"), rollout.started)
        except IntegrityError as error:
            raise RolloutRunning(
                "another challenger is being rolled out: `copydesk rollout status` says which, "
                "`copydesk rollout abort` ends it"
            ) from error

    async def change(self, rollout: Rollout, *, by: Actor, now: datetime) -> bool:
        changed = replace(rollout, revision=rollout.revision + 1)
        same = and_(rollouts.c.id == rollout.id, rollouts.c.revision == rollout.revision)
        async with self._database.write() as connection:
            before = (await connection.execute(select(rollouts).where(same))).mappings().first()
            if before is None:
                return False
            if not (await connection.execute(update(rollouts).where(same).values(_state(changed)))).rowcount:
                return False
            if (before["state"], before["stage"]) != (changed.state.value, changed.stage) or changed.ended:
                await _note(connection, changed, by, now)
        return True

    async def challenger_jobs(self, rollout: Rollout) -> int:
        of_stage = _of_stage(rollout, rollout.challenger)
        (row,) = await self._database.fetch(select(func.count().label("jobs")).select_from(jobs).where(of_stage))
        return int(row["jobs"])

    async def evidence(self, rollout: Rollout) -> Evidence:
        async with self._database.read() as connection:

            async def of(version: str) -> tuple[JobFacts, ...]:
                rows = await connection.execute(_FACTS.where(_of_stage(rollout, version)))
                return tuple(_facts(row) for row in rows)

            return Evidence(await of(rollout.champion), await of(rollout.challenger))


def _of_stage(rollout: Rollout, version: str) -> ColumnElement[bool]:
    """Batches are the champion's, so they are no comparison."""
    of_stage = and_(jobs.c.version == version, jobs.c.submitted_at >= rollout.staged)
    return and_(of_stage, jobs.c.status.in_(ENDED), jobs.c.batch_id.is_(None))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


_of = compliance_results.c
_GAP = or_(
    _of.verdict.in_([Verdict.FAILED.value, Verdict.NOT_CHECKED.value]),
    func.coalesce(_of.method, "") == Method.FALLBACK.value,
)
_FACTS = (
    select(
        func.coalesce(func.nullif(jobs.c.document_id, ""), jobs.c.blob).label("unit"),
        jobs.c.status,
        jobs.c.submitted_at,
        jobs.c.finished_at,
        _count(and_(_of.guideline_id.is_not(None), _of.verdict != Verdict.NOT_APPLICABLE.value)).label("checks"),
        _count(_GAP).label("failed"),
        func.coalesce(func.sum(_of.findings), 0).label("found"),
        func.coalesce(func.sum(_of.unanchored), 0).label("unanchored"),
    )
    .select_from(jobs.outerjoin(compliance_results, _of.job_id == jobs.c.id))
    .group_by(jobs.c.id)
)


def _facts(row: Row[Any]) -> JobFacts:
    return JobFacts(
        unit=row.unit,
        broken=row.status != JobStatus.COMPLETED.value,
        seconds=(row.finished_at - row.submitted_at).total_seconds(),
        checks=row.checks,
        failed=row.failed,
        found=row.found,
        unanchored=row.unanchored,
    )


async def _note(connection: AsyncConnection, rollout: Rollout, by: Actor, now: datetime) -> None:
    detail = f"{rollout.share:.0%} of the articles" + (f": {rollout.reason}" if rollout.reason else "")
    await note(connection, by, f"rollout.{rollout.state.value}", rollout.challenger, detail, now=now)


def _state(rollout: Rollout) -> dict[str, Any]:
    return {
        "active": None if rollout.ended else True,
        "staged_at": rollout.staged,
        "stage": rollout.stage,
        "looks": rollout.looks,
        "state": rollout.state.value,
        "reason": rollout.reason,
        "ended_at": rollout.ended,
        "revision": rollout.revision,
    }


def _rollout(row: RowMapping) -> Rollout:
    return Rollout(
        id=row["id"],
        challenger=row["challenger"],
        champion=row["champion"],
        policy=RolloutPolicy.model_validate_json(row["policy"]),
        signed=row["signed"],
        who=row["user_id"],
        started=row["started_at"],
        staged=row["staged_at"],
        stage=row["stage"],
        looks=row["looks"],
        state=State(row["state"]),
        reason=row["reason"],
        ended=row["ended_at"],
        revision=row["revision"],
    )
