"""Shadows in the database: what was sampled, and how the versions agree."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, insert, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.access.audit import Actor
from serving.adapters.database import Database
from serving.adapters.rollout_tables import shadow_checks, shadow_results, shadows
from serving.adapters.sql_audit import note
from serving.adapters.tables import job_of, jobs
from serving.adapters.upsert import upsert
from serving.errors import ShadowRunning
from serving.job import Job, JobStatus, Priority
from serving.shadow import Bill, CheckState, Compared, Pair, Place, Shadow, Spent

MOST_ATTEMPTS = 3  # editors came between, or its worker died
UNDERWAY = (JobStatus.QUEUED, JobStatus.RUNNING)


class SqlShadows:
    """Who claims holds a lock, so one article is checked at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def active(self) -> Shadow | None:
        found = await self._database.fetch(select(shadows).where(shadows.c.active))
        return _shadow(found[0]) if found else None

    async def latest(self) -> Shadow | None:
        found = await self._database.fetch(select(shadows).order_by(shadows.c.started_at.desc()).limit(1))
        return _shadow(found[0]) if found else None

    async def start(self, shadow: Shadow) -> None:
        row = {
            "id": shadow.id,
            "active": True,
            "version": shadow.version,
            "champion": shadow.champion,
            "share": shadow.share,
            "checks_a_day": shadow.checks_a_day,
            "budget": shadow.budget,
            "user_id": shadow.who,
            "started_at": shadow.started,
            "reason": "",
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(shadows), row)
                await _note(connection, shadow, "started", Actor(shadow.who, "command"), shadow.started)
        except IntegrityError as error:
            raise ShadowRunning(
                "another challenger runs in the shadow: `copydesk shadow report` says which, "
                "`copydesk shadow stop` ends it"
            ) from error

    async def stop(self, shadow: Shadow, reason: str, now: datetime, *, by: Actor) -> None:
        stopped = update(shadows).where(shadows.c.id == shadow.id, shadows.c.active)
        async with self._database.write() as connection:
            values = {"active": None, "ended_at": now, "reason": reason}
            if (await connection.execute(stopped.values(values))).rowcount:
                await _note(connection, shadow, "stopped", by, now, reason)

    async def offer(self, shadow: Shadow, unit: str, job: Job, now: datetime) -> bool:
        of = shadow_checks.c
        row = {
            "shadow_id": shadow.id,
            "unit": unit,
            "job_id": job.id,
            "offered_at": now,
            "state": CheckState.WAITING.value,
            "attempts": 0,
            "reason": "",
            "calls": 0,
            "cost": 0.0,
        }
        waiting = select(func.count()).where(of.shadow_id == shadow.id, of.state == CheckState.WAITING.value)
        async with self._database.write() as connection:
            if (await connection.scalar(waiting) or 0) >= shadow.most_waiting:
                return False
            offered = upsert(connection, shadow_checks).values(row).on_conflict_do_nothing()
            return (await connection.execute(offered.returning(of.unit))).first() is not None

    async def claim(self, shadow: Shadow, now: datetime) -> Job | None:
        of = shadow_checks.c
        waiting = and_(of.shadow_id == shadow.id, of.state == CheckState.WAITING.value)
        first = select(of.unit, of.job_id).where(waiting, of.attempts < MOST_ATTEMPTS).order_by(of.attempts)
        given_up = {"state": CheckState.LEFT_OUT.value, "reason": f"interrupted {MOST_ATTEMPTS} times"}
        async with self._database.write() as connection:
            row = (await connection.execute(first.order_by(of.offered_at).limit(1))).one_or_none()
            if row is None:
                await connection.execute(update(shadow_checks).where(waiting).values(given_up | {"ended_at": now}))
                return None
            begun = update(shadow_checks).where(waiting, of.unit == row.unit)
            await connection.execute(begun.values(attempts=of.attempts + 1, begun_at=now))
            found = (await connection.execute(select(jobs).where(jobs.c.id == row.job_id))).mappings().one()
        return job_of(found)

    async def hand_back(self, shadow: Shadow, job: Job) -> None:
        of = shadow_checks.c
        first = of.attempts <= 1
        unbegun = {"attempts": of.attempts - 1, "begun_at": case((first, None), else_=of.begun_at)}
        async with self._database.write() as connection:
            await connection.execute(update(shadow_checks).where(_waits(shadow, job)).values(unbegun))

    async def editors_wait(self) -> bool:
        interactive = jobs.c.priority == Priority.INTERACTIVE.value
        # One look-up a status: each has its index.
        underway = (exists().where(jobs.c.status == status.value, interactive) for status in UNDERWAY)
        (row,) = await self._database.fetch(select(or_(*underway).label("wait")))
        return bool(row["wait"])

    async def pay(self, shadow: Shadow, job: Job, bill: Bill) -> None:
        of = shadow_checks.c
        own = update(shadow_checks).where(of.shadow_id == shadow.id, of.job_id == job.id)
        async with self._database.write() as connection:
            await connection.execute(own.values(calls=of.calls + bill.calls, cost=of.cost + bill.cost))

    async def compared(self, shadow: Shadow, job: Job, found: Sequence[Compared], now: datetime) -> None:
        rows = [
            {
                "shadow_id": shadow.id,
                "job_id": job.id,
                "guideline_id": each.guideline,
                "both": each.both,
                "only_champion": _fingerprints(each.only_champion),
                "only_challenger": _fingerprints(each.only_challenger),
                "places": _places(each.only_champion + each.only_challenger),
            }
            for each in found
        ]
        async with self._database.write() as connection:
            if await _end(connection, shadow, job, CheckState.COMPARED, "", now) and rows:
                await connection.execute(insert(shadow_results), rows)

    async def left_out(self, shadow: Shadow, job: Job, reason: str, now: datetime) -> None:
        async with self._database.write() as connection:
            await _end(connection, shadow, job, CheckState.LEFT_OUT, reason, now)

    async def spent(self, shadow: Shadow, since: datetime) -> Spent:
        of = shadow_checks.c
        used = (func.count(), func.coalesce(func.sum(of.calls), 0), func.coalesce(func.sum(of.cost), 0.0))
        query = select(*used).where(of.shadow_id == shadow.id, of.begun_at >= since)
        async with self._database.read() as connection:
            checks, calls, cost = (await connection.execute(query)).one()
        return Spent(checks, calls, float(cost))

    async def pairs(self, shadow: Shadow) -> list[Pair]:
        same = and_(
            shadow_checks.c.shadow_id == shadow_results.c.shadow_id, shadow_checks.c.job_id == shadow_results.c.job_id
        )
        query = (
            select(shadow_results)
            .join(shadow_checks, same)
            .where(shadow_results.c.shadow_id == shadow.id)
            .order_by(shadow_checks.c.ended_at, shadow_checks.c.job_id, shadow_results.c.guideline_id)
        )
        found: defaultdict[str, list[Compared]] = defaultdict(list)
        for row in await self._database.fetch(query):
            found[row["job_id"]].append(_compared(row))
        return [Pair(job, tuple(guidelines)) for job, guidelines in found.items()]

    async def counts(self, shadow: Shadow) -> dict[str, int]:
        of = shadow_checks.c
        query = select(of.state, of.reason, func.count()).where(of.shadow_id == shadow.id).group_by(of.state, of.reason)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(of.state, of.reason))
            return {reason or state: count for state, reason, count in rows}


async def _end(
    connection: AsyncConnection, shadow: Shadow, job: Job, state: CheckState, reason: str, now: datetime
) -> bool:
    """Whether it was waiting for it."""
    values = {"state": state.value, "reason": reason, "ended_at": now}
    ended = update(shadow_checks).where(_waits(shadow, job)).values(values)
    return bool((await connection.execute(ended)).rowcount)


def _waits(shadow: Shadow, job: Job) -> ColumnElement[bool]:
    of = shadow_checks.c
    return and_(of.shadow_id == shadow.id, of.job_id == job.id, of.state == CheckState.WAITING.value)


async def _note(
    connection: AsyncConnection, shadow: Shadow, action: str, by: Actor, now: datetime, reason: str = ""
) -> None:
    detail = reason or f"{shadow.share:.0%} of the documents"
    await note(connection, by, f"shadow.{action}", shadow.version, detail, now=now)


def _compared(row: RowMapping) -> Compared:
    champion, challenger = _split(row["only_champion"]), _split(row["only_challenger"])
    names, places = champion + challenger, json.loads(row["places"] or "[]")
    if places:
        found = [Place(name, *place) for name, place in zip(names, places, strict=True)]
    else:  # a release before wrote the fingerprints alone
        found = [Place(name) for name in names]
    return Compared(row["guideline_id"], row["both"], tuple(found[: len(champion)]), tuple(found[len(champion) :]))


def _fingerprints(places: Sequence[Place]) -> str:
    return ",".join(place.fingerprint for place in places)


def _places(places: Sequence[Place]) -> str:
    return json.dumps([[place.start, place.end, place.paragraph] for place in places], separators=(",", ":"))


def _split(fingerprints: str) -> list[str]:
    return fingerprints.split(",") if fingerprints else []


def _shadow(row: RowMapping) -> Shadow:
    known: dict[str, Any] = {name: row[name] for name in ("id", "version", "champion", "share", "budget", "reason")}
    return Shadow(
        **known,
        checks_a_day=row["checks_a_day"],
        who=row["user_id"],
        started=row["started_at"],
        ended=row["ended_at"],
    )
