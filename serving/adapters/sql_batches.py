"""Batches in the database."""

from dataclasses import replace

from sqlalchemy import Join, RowMapping, Select, Table, func, insert, literal, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.finding import Severity
from serving.adapters.batch_tables import batches
from serving.adapters.database import Database
from serving.adapters.idempotency import row_of_key
from serving.adapters.sql_jobs import QUEUE_FACTS, Enqueue, in_the_table, must_have_room, next_turn, queue_parameters
from serving.adapters.tables import compliance_results, job_of, jobs, results, row_of
from serving.batch import Batch, BatchJob, GuidelineCount, Progress
from serving.job import Job, JobStatus, Priority
from serving.ports.batches import BatchSubmission
from serving.ports.jobs import Cursor

LIVE = jobs.c.status.in_((JobStatus.QUEUED.value, JobStatus.RUNNING.value))


class SqlBatches:
    def __init__(self, database: Database, enqueue: Enqueue = in_the_table) -> None:
        self._database = database
        self._enqueue = enqueue

    async def add(self, submission: BatchSubmission) -> Batch:
        try:
            async with self._database.write() as connection:
                return await self._add(connection, submission)
        except IntegrityError:  # the same key at the same moment: the first row stands
            async with self._database.write() as connection:
                return await self._add(connection, submission)

    async def _add(self, connection: AsyncConnection, submission: BatchSubmission) -> Batch:
        batch, key = submission.batch, submission.idempotency_key
        if key and (earlier := await _of_key(connection, batch.user, key, submission.request_hash)):
            return earlier
        waiting = queue_parameters(batch.user, Priority.BATCH)
        facts = (await connection.execute(select(*QUEUE_FACTS), waiting)).mappings().one()
        must_have_room(facts, len(submission.jobs), submission.queue_limit)
        row_of_batch = {
            "id": batch.id,
            "user_id": batch.user,
            "name": batch.name,
            "total": batch.total,
            "submitted_at": batch.submitted,
            "idempotency_key": key or None,
            "request_hash": submission.request_hash,
            "callback_url": batch.callback_url,
        }
        await connection.execute(insert(batches), row_of_batch)
        first = next_turn(facts)
        queued = [replace(job, turn=first + place) for place, job in enumerate(submission.jobs)]
        await connection.execute(insert(jobs), [_row(job, number) for number, job in enumerate(queued, 1)])
        await connection.run_sync(self._enqueue, queued)
        return batch

    async def of_key(self, user: str, key: str, request_hash: str) -> Batch | None:
        async with self._database.read() as connection:
            return await _of_key(connection, user, key, request_hash)

    async def get(self, batch_id: str) -> Batch | None:
        found = await self._database.fetch(select(batches).where(batches.c.id == batch_id))
        return batch_of(found[0]) if found else None

    async def page(self, user: str, before: Cursor | None, limit: int) -> list[Batch]:
        query = select(batches).where(batches.c.user_id == user)
        if before:
            at = literal(before.at, batches.c.submitted_at.type)
            query = query.where(tuple_(batches.c.submitted_at, batches.c.id) < tuple_(at, literal(before.id)))
        query = query.order_by(batches.c.submitted_at.desc(), batches.c.id.desc()).limit(limit)
        return [batch_of(row) for row in await self._database.fetch(query)]

    async def progress(self, batch_id: str) -> Progress:
        of_batch = jobs.c.batch_id == batch_id
        by_status = (
            select(jobs.c.status, func.count().label("number"), func.max(jobs.c.finished_at).label("finished"))
            .where(of_batch)
            .group_by(jobs.c.status)
        )
        scores = select(results.c.score).select_from(_of_jobs(results)).where(of_batch, results.c.score.is_not(None))
        async with self._database.read() as connection:
            statuses = (await connection.execute(by_status)).all()
            found = (await connection.execute(scores.order_by(results.c.score))).scalars().all()
            guidelines = (await connection.execute(_by_guideline(batch_id))).all()
        return Progress(
            jobs={JobStatus(row.status): row.number for row in statuses},
            scores=tuple(found),
            guidelines=tuple(
                GuidelineCount(row.guideline_id, Severity(row.severity), row.articles, row.findings)
                for row in guidelines
            ),
            last_finished=max((row.finished for row in statuses if row.finished), default=None),
        )

    async def jobs(self, batch_id: str, after: int, limit: int) -> list[BatchJob]:
        query = (
            select(jobs, results.c.score)
            .select_from(jobs.outerjoin(results, results.c.job_id == jobs.c.id))
            .where(jobs.c.batch_id == batch_id, jobs.c.batch_number > after)
            .order_by(jobs.c.batch_number)
            .limit(limit)
        )
        rows = await self._database.fetch(query)
        return [BatchJob(row["batch_number"], job_of(row), row["score"]) for row in rows]

    async def unfinished(self, batch_id: str) -> list[str]:
        query = select(jobs.c.id).where(jobs.c.batch_id == batch_id, LIVE).order_by(jobs.c.batch_number.desc())
        return [row["id"] for row in await self._database.fetch(query)]


async def _of_key(connection: AsyncConnection, user: str, key: str, request_hash: str) -> Batch | None:
    row = await row_of_key(connection, batches, user, key, request_hash)
    return batch_of(row) if row else None


def _by_guideline(batch_id: str) -> Select[tuple[str, str, int, int]]:
    of = compliance_results.c
    total = func.sum(of.findings)
    return (
        select(of.guideline_id, of.severity, func.count().label("articles"), total.label("findings"))
        .select_from(_of_jobs(compliance_results))
        .where(jobs.c.batch_id == batch_id, of.findings > 0)
        .group_by(of.guideline_id, of.severity)
        .order_by(total.desc(), of.guideline_id)
    )


def _of_jobs(table: Table) -> Join:
    return table.join(jobs, jobs.c.id == table.c.job_id)


def _row(job: Job, number: int) -> dict[str, object]:
    return row_of(job) | {"idempotency_key": None, "request_hash": "", "batch_number": number}


def batch_of(row: RowMapping) -> Batch:
    return Batch(row["id"], row["user_id"], row["name"], row["total"], row["submitted_at"], row["callback_url"])
