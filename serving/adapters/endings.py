"""What follows when a job ends, whoever ends it, in the same transaction."""

from uuid import uuid4

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.adapters.batch_tables import batches
from serving.adapters.callback_tables import callbacks
from serving.adapters.tables import jobs, outbox
from serving.adapters.upsert import upsert
from serving.job import ENDED, Job


async def tell_of_end(connection: AsyncConnection, job: Job) -> None:
    """MLflow is to be told; again, when a dead job was queued anew and ends another way. So is the client."""
    entry = {"job_id": job.id, "attempts": 0, "due_at": job.finished, "reason": "", "run_id": ""}
    insert = upsert(connection, outbox)
    # Attempts fence.
    again = {"attempts": outbox.c.attempts + 1, "due_at": insert.excluded.due_at, "reason": ""}
    await connection.execute(insert.values(entry).on_conflict_do_update(index_elements=["job_id"], set_=again))
    if job.callback_url:
        await _call(connection, job, job.callback_url, "job_id", job.id)
    if job.batch:
        await _tell_of_batch(connection, job)


async def _tell_of_batch(connection: AsyncConnection, job: Job) -> None:
    """Its client is to be called when this was the last of its jobs.

    The lock lets jobs of one batch end one after another: else each of the last two would see the other run.
    """
    wanted = select(batches.c.callback_url).where(batches.c.id == job.batch, batches.c.callback_url != "")
    url = await connection.scalar(wanted.with_for_update())
    if url is None:
        return
    unfinished = exists().where(jobs.c.batch_id == job.batch, jobs.c.status.not_in([s.value for s in ENDED]))
    if not await connection.scalar(select(unfinished)):
        await _call(connection, job, url, "batch_id", job.batch)


async def _call(connection: AsyncConnection, job: Job, url: str, column: str, id: str) -> None:
    entry = {"message": uuid4().hex, column: id, "url": url, "attempts": 0, "due_at": job.finished, "reason": ""}
    insert = upsert(connection, callbacks)
    again = {name: insert.excluded[name] for name in ("message", "attempts", "due_at", "reason")}  # the message fences
    await connection.execute(insert.values(entry).on_conflict_do_update(index_elements=[column], set_=again))
