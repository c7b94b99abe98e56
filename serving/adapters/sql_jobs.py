"""Jobs in the database, as the API sees them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Label,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.access.audit import Actor
from serving.adapters.database import Database
from serving.adapters.endings import tell_of_end
from serving.adapters.idempotency import same_request
from serving.adapters.sql_audit import note
from serving.adapters.tables import job_keys, job_of, jobs, results, row_of, state_of
from serving.errors import QueueFull
from serving.job import STANDS_FOR_EQUALS, Job, JobStatus, Priority
from serving.ports.jobs import Cursor, Submission

QUEUED = jobs.c.status == JobStatus.QUEUED.value
DEAD = and_(jobs.c.status == JobStatus.FAILED.value, jobs.c.dead)

# Made once: each article asks them.
_ADD = insert(jobs)
# Two requests with equal articles, or with one key, follow each other; each takes both locks in this order. SQLite has
# one writer anyway.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(:hash, 0)), pg_advisory_xact_lock(hashtextextended(:key, 2))"
)


def _known() -> Subquery:
    """The job that a user's key stands for: a request with it came to the job later, or it was made with it.

    Both, where a release that doesn't know of the first took the key for another request: that one was mistaken.
    """
    later, own = (
        select(job_id.label("id"), of.c.request_hash.label("hash_of_key"), literal(place).label("place")).where(
            of.c.user_id == bindparam("user"), of.c.idempotency_key == bindparam("key")
        )
        for place, (of, job_id) in enumerate(((job_keys, job_keys.c.job_id), (jobs, jobs.c.id)))
    )
    return union_all(later, own).order_by("place").limit(1).subquery()


_KNOWN = _known()
_OF_KEY = select(jobs, _KNOWN.c.hash_of_key).join_from(jobs, _KNOWN, _KNOWN.c.id == jobs.c.id)

# Puts jobs that wait into a queue that is no table of ours, in the transaction that makes them wait.
Enqueue = Callable[[Connection, Sequence[Job]], None]


def in_the_table(_: Connection, __: Sequence[Job]) -> None:
    """Of a queue that reads the table of jobs itself: the row is all it needs."""


class SqlJobStore:
    """The row is the truth: whatever hands jobs out, a job waits or runs because its row says so."""

    def __init__(
        self, database: Database, enqueue: Enqueue = in_the_table, *, reporting: Database | None = None
    ) -> None:
        self._database = database
        self._enqueue = enqueue
        self._reporting = reporting or database

    async def add(self, submission: Submission) -> Job:
        add = partial(self._add, submission)
        try:
            return await self._database.transact(add)
        except IntegrityError:  # the same key at the same moment: the first row stands
            return await self._database.transact(add)

    def _add(self, submission: Submission, connection: Connection) -> Job:
        job = submission.job
        key, request_hash = submission.idempotency_key, submission.request_hash
        if self._database.is_postgres:
            connection.execute(
                _LOCK, {"hash": job.article_hash or job.id, "key": f"{job.request.user} {key or job.id}"}
            )
        facts = connection.execute(*_facts(submission)).mappings().one()
        if earlier := facts["of_key"] or facts["of_article"]:
            if facts["of_key"]:
                same_request(facts["hash_of_key"], request_hash, key=key)
            elif key:
                row = {"user_id": job.request.user, "idempotency_key": key, "request_hash": request_hash}
                connection.execute(insert(job_keys), row | {"job_id": earlier})
            return job_of(connection.execute(select(jobs).where(jobs.c.id == earlier)).mappings().one())
        must_have_room(facts, 1, submission.queue_limit)
        job = replace(job, turn=next_turn(facts))
        connection.execute(_ADD, row_of(job) | {"idempotency_key": key or None, "request_hash": request_hash})
        self._enqueue(connection, [job])
        return job

    async def of_key(self, user: str, key: str, request_hash: str) -> Job | None:
        for row in await self._database.fetch(_OF_KEY, {"user": user, "key": key}):
            same_request(row["hash_of_key"], request_hash, key=key)
            return job_of(row)
        return None

    async def get(self, job_id: str) -> Job | None:
        found = await self._jobs(select(jobs).where(jobs.c.id == job_id))
        return found[0] if found else None

    async def page(self, user: str, before: Cursor | None, limit: int) -> list[Job]:
        return await self._jobs(_page(jobs.c.user_id == user, before, limit))

    async def position(self, job: Job) -> int:
        order = (jobs.c.priority, jobs.c.turn, jobs.c.submitted_at, jobs.c.id)
        own = (job.priority.value, job.turn, job.submitted, job.id)
        earlier = or_(
            *(
                and_(*(a == b for a, b in zip(order[:place], own[:place], strict=True)), order[place] < own[place])
                for place in range(len(order))
            )
        )
        return 1 + await _count(self._database, QUEUED, earlier)

    async def revisions(self, job_ids: Iterable[str]) -> dict[str, int]:
        """Of those there are; read from the index alone."""
        query = select(jobs.c.id, jobs.c.revision).where(jobs.c.id.in_(list(job_ids)))
        return {row["id"]: row["revision"] for row in await self._database.fetch(query)}

    async def unfinished(self) -> int:
        live = jobs.c.status.in_((JobStatus.QUEUED.value, JobStatus.RUNNING.value))
        return await _count(self._database, live)

    async def waiting(self) -> int:
        return await _count(self._database, QUEUED)

    async def result(self, job_id: str) -> str | None:
        for row in await self._database.fetch(select(results.c.report).where(results.c.job_id == job_id)):
            return str(row["report"])
        return None

    async def cancel(self, job_id: str, now: datetime) -> Job | None:
        async with self._database.write() as connection:
            return await self._change(
                connection, job_id, lambda job: None if job.ended else job.ended_as(JobStatus.CANCELLED, now)
            )

    async def requeue(self, job_id: str, by: Actor, now: datetime) -> Job | None:
        async with self._database.write() as connection:
            queued = await self._change(connection, job_id, lambda job: job.requeued(now) if job.dead else None)
            if queued is not None:
                await note(connection, by, "job.requeue", job_id, now=now)
        return queued

    async def dead(self, before: Cursor | None, limit: int) -> list[Job]:
        return [job_of(row) for row in await self._reporting.fetch(_page(DEAD, before, limit))]

    async def count_dead(self) -> int:
        return await _count(self._reporting, DEAD)

    async def _change(
        self, connection: AsyncConnection, job_id: str, change: Callable[[Job], Job | None]
    ) -> Job | None:
        """Changes a job by what it is at that moment."""
        row = (await connection.execute(select(jobs).where(jobs.c.id == job_id).with_for_update())).mappings()
        found = row.first()
        changed = change(job_of(found)) if found else None
        if changed is None:
            return None
        changed = replace(changed, revision=changed.revision + 1)
        values = state_of(changed) | {"revision": changed.revision}
        await connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
        if changed.status is JobStatus.QUEUED:
            await connection.run_sync(self._enqueue, [changed])
        if changed.ended:
            await tell_of_end(connection, changed)
        return changed

    async def _jobs(self, query: Select[Any]) -> list[Job]:
        return [job_of(row) for row in await self._database.fetch(query)]


async def _count(database: Database, *conditions: ColumnElement[bool]) -> int:
    (row,) = await database.fetch(select(func.count().label("jobs")).select_from(jobs).where(*conditions))
    return int(row["jobs"])


def _page(which: ColumnElement[bool], before: Cursor | None, limit: int) -> Select[Any]:
    """The latest of them, from the cursor on."""
    query = select(jobs).where(which)
    if before:
        at = literal(before.at, jobs.c.submitted_at.type)
        query = query.where(tuple_(jobs.c.submitted_at, jobs.c.id) < tuple_(at, literal(before.id)))
    return query.order_by(jobs.c.submitted_at.desc(), jobs.c.id.desc()).limit(limit)


def _facts(submission: Submission) -> tuple[Select[Any], dict[str, object]]:
    """Everything that decides about a new job, in one statement, and its parameters."""
    job, key, since = submission.job, submission.idempotency_key, submission.duplicates_since
    given = {"key": key, "article": job.article_hash, "since": since}
    statement = _facts_statement(by_key=bool(key), by_article=since is not None)
    return statement, given | queue_parameters(job.request.user, job.priority)


@lru_cache
def _facts_statement(*, by_key: bool, by_article: bool) -> Select[Any]:
    """Made once: to put it together anew took half as long as to ask it."""
    of_key, hash_of_key = (select(column).scalar_subquery() for column in (_KNOWN.c.id, _KNOWN.c.hash_of_key))
    return select(
        (of_key if by_key else literal(None)).label("of_key"),
        (hash_of_key if by_key else literal(None)).label("hash_of_key"),
        (_of_article() if by_article else literal(None)).label("of_article"),
        *QUEUE_FACTS,
    )


def _of_article() -> ColumnElement[Any]:
    """The latest job that stands for an equal article, as `Job.stands_for` says."""
    standing = jobs.c.status.in_([status.value for status in STANDS_FOR_EQUALS])
    equal = (jobs.c.article_hash == bindparam("article"), standing, jobs.c.submitted_at > bindparam("since"))
    as_soon = or_(jobs.c.status == JobStatus.COMPLETED.value, jobs.c.priority <= bindparam("priority"))
    return select(jobs.c.id).where(*equal, as_soon).order_by(jobs.c.submitted_at.desc()).limit(1).scalar_subquery()


def queue_parameters(user: str, priority: Priority) -> dict[str, object]:
    """Of QUEUE_FACTS."""
    return {"user": user, "priority": priority.value}


def _queue_facts() -> tuple[Label[Any], ...]:
    """Columns on those who wait with this priority: what the limit and the next turn are told by."""
    same_class = and_(QUEUED, jobs.c.priority == bindparam("priority"))
    of_user = and_(same_class, jobs.c.user_id == bindparam("user"))
    return (
        select(func.count()).select_from(jobs).where(same_class).scalar_subquery().label("waiting"),
        select(func.min(jobs.c.turn)).where(same_class).scalar_subquery().label("first_turn"),
        select(func.max(jobs.c.turn)).where(of_user).scalar_subquery().label("last_turn_of_user"),
    )


QUEUE_FACTS = _queue_facts()


def next_turn(facts: RowMapping) -> int:
    """The start tag of start-time fair queueing (Goyal, Vin and Cheng 1996) with jobs of length one.

    A user's jobs follow each other by one; whoever has none waiting joins where the queue is. So each round takes one
    job of every user, however many somebody has sent.
    """
    first, last = facts["first_turn"], facts["last_turn_of_user"]
    return max(0 if first is None else int(first), 0 if last is None else int(last) + 1)


def must_have_room(facts: RowMapping, count: int, limit: int) -> None:
    if facts["waiting"] + count > limit:
        raise QueueFull(f"{facts['waiting']} jobs are waiting, the limit is {limit}: try again in a moment")
