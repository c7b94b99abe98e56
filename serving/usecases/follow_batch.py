"""How a batch stands, its jobs, and cancelling what is left of it."""

from collections.abc import AsyncIterator
from datetime import datetime

from serving.batch import Batch
from serving.errors import BatchNotFound
from serving.job import Job
from serving.ports.batches import Batches
from serving.ports.jobs import JobStore


async def find_batch(store: Batches, *, batch_id: str, user: str) -> Batch:
    """Raises BatchNotFound, also for somebody else's batch."""
    batch = await store.get(batch_id)
    if batch is None or batch.user != user:
        raise BatchNotFound(f"there is no batch {batch_id!r}: check the id that submitting returned")
    return batch


async def cancel_rest(store: Batches, jobs: JobStore, *, batch_id: str, now: datetime) -> AsyncIterator[Job]:
    """Cancels what waits or runs, the last first, so that workers get nothing new meanwhile; what was cancelled."""
    for job_id in await store.unfinished(batch_id):
        if cancelled := await jobs.cancel(job_id, now):
            yield cancelled
