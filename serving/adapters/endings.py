"""What follows when a job ends, whoever ends it, in the same transaction."""

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.adapters.tables import outbox
from serving.adapters.upsert import upsert
from serving.job import Job


async def tell_of_end(connection: AsyncConnection, job: Job) -> None:
    """MLflow is to be told; again, when a dead job was queued anew and ends another way."""
    entry = {"job_id": job.id, "attempts": 0, "due_at": job.finished, "reason": "", "run_id": ""}
    insert = upsert(connection, outbox)
    again = {"attempts": outbox.c.attempts + 1, "due_at": insert.excluded.due_at}  # attempts fence
    await connection.execute(insert.values(entry).on_conflict_do_update(index_elements=["job_id"], set_=again))
