"""Articles that were sent together."""

from dataclasses import dataclass
from typing import Protocol

from serving.batch import Batch, BatchJob, Progress
from serving.job import Job
from serving.ports.jobs import Cursor


@dataclass(frozen=True, slots=True)
class BatchSubmission:
    """A batch to be accepted, with its jobs in their order."""

    batch: Batch
    jobs: tuple[Job, ...]
    idempotency_key: str = ""
    request_hash: str = ""
    queue_limit: int = 10_000


class Batches(Protocol):
    """Batches and their jobs."""

    async def add(self, submission: BatchSubmission) -> Batch:
        """Stores a batch and queues all of its jobs at once, or none of them.

        Returns the earlier batch of the same key. Raises IdempotencyConflict and QueueFull.
        """

    async def of_key(self, user: str, key: str, request_hash: str) -> Batch | None:
        """The batch that a user's idempotency key stands for; raises IdempotencyConflict for another request's."""

    async def get(self, batch_id: str) -> Batch | None: ...

    async def page(self, user: str, before: Cursor | None, limit: int) -> list[Batch]:
        """A user's batches, the latest first, from the cursor on."""

    async def progress(self, batch_id: str) -> Progress: ...

    async def jobs(self, batch_id: str, after: int, limit: int) -> list[BatchJob]:
        """Its jobs in the order of the manifest, from the number after `after` on."""

    async def unfinished(self, batch_id: str) -> list[str]:
        """Ids of its jobs that wait or run."""
