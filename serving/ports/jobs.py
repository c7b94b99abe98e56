"""Jobs: as clients ask for them, as running attempts see them, and how they are handed out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent.report import ComplianceReport
from serving.access.audit import Actor
from serving.job import Job


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to be accepted, with what makes it idempotent."""

    job: Job
    idempotency_key: str = ""
    request_hash: str = ""
    duplicates_since: datetime | None = None  # an equal article submitted later stands for this one
    queue_limit: int = 1000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list, the latest first."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is to be done, on all workers together; ages are 0 where there is nothing."""

    waiting: int
    oldest_waiting_seconds: float
    running: int
    dead: int  # given up and not queued again
    unlogged: int  # ended, and MLflow hasn't been told
    oldest_unlogged_seconds: float  # since it ended
    stranded: int  # of those that wait: due, and no living worker is known to have their code
    stranded_versions: tuple[str, ...]  # that these are bound to


class JobStore(Protocol):
    """Jobs and their results, as clients ask for them. The row is the truth."""

    async def add(self, submission: Submission) -> Job:
        """Stores and queues a job at once, and returns it.

        Returns an earlier one where it stands for this request: of the same key, or of an equal article. Raises
        IdempotencyConflict and QueueFull.
        """

    async def of_key(self, user: str, key: str, request_hash: str) -> Job | None:
        """The job that a user's idempotency key stands for; raises IdempotencyConflict for another request's."""

    async def get(self, job_id: str) -> Job | None: ...

    async def page(self, user: str, before: Cursor | None, limit: int) -> list[Job]:
        """A user's jobs, the latest first, from the cursor on."""

    async def position(self, job: Job) -> int:
        """Place in the queue, from 1."""

    async def revisions(self, job_ids: Iterable[str]) -> dict[str, int]:
        """The revisions of those there are."""

    async def waiting(self) -> int:
        """How many jobs are queued."""

    async def unfinished(self) -> int:
        """How many jobs wait or run."""

    async def result(self, job_id: str) -> str | None:
        """The report as JSON."""

    async def cancel(self, job_id: str, now: datetime) -> Job | None:
        """The cancelled job; None when it has ended before."""

    async def requeue(self, job_id: str, by: Actor, now: datetime) -> Job | None:
        """A dead job, queued again with all its attempts and noted in the audit; None when it isn't dead."""

    async def dead(self, before: Cursor | None, limit: int) -> list[Job]:
        """Jobs that were given up, the latest first, from the cursor on."""

    async def count_dead(self) -> int:
        """How many those are."""


class Leases(Protocol):
    """Running jobs, each in the hands of one attempt at a time; only that attempt may write.

    What changes a job returns it as it is now, or None where it isn't this attempt's any more.
    """

    async def claim(self, job_id: str, attempt: int, now: datetime, lease: timedelta) -> Job | None:
        """Begins an attempt; None when the job isn't waiting for it any more."""

    async def renew(self, job: Job, until: datetime) -> bool:
        """Keeps a running job; False when it isn't this attempt's any more."""

    async def progress(self, job: Job, checked: Sequence[str], total: int) -> Job | None:
        """Notes how far this attempt is: the guidelines that are done, of how many."""

    async def retry(self, job: Job, now: datetime, reason: str, *, pause: timedelta, max_attempts: int) -> Job | None:
        """Ends an attempt without a result: queued again after a pause, or dead."""

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> Job | None:
        """Stores the ended job, its report, what was recorded and an outbox entry at once."""

    async def hand_back(self, job: Job, reason: str, *, due: datetime | None = None) -> Job | None:
        """Ends an attempt for a reason that isn't the job's: queued again, at once or from `due` on, and not counted
        among those tried."""

    async def give_back(self, now: datetime, *, max_attempts: int) -> list[Job]:
        """Returns jobs whose lease has run out to the queue, or gives up those tried often enough."""


class JobQueue(Protocol):
    """Hands waiting jobs to workers, in the order of priority and turn."""

    async def serve(
        self, handle: Callable[[str, int], Awaitable[None]], *, code_digest: str, at_once: int, stopping: asyncio.Event
    ) -> None:
        """Calls `handle(job id, attempt)` for jobs of this code until `stopping`; those that run are waited for.

        A job may be handed out twice: the claim of its attempt decides.
        """

    async def tidy(self, now: datetime, lease: timedelta) -> int:
        """Hands out again what was handed to somebody who went silent; how many."""


class Backlogs(Protocol):
    """How much is to be done."""

    async def read(self, now: datetime) -> Backlog: ...


class Witness(Protocol):
    """Watches an attempt at a job while it runs."""

    def checked(self, guideline: str) -> None:
        """A guideline's check has just ended."""

    def reported(self, report: ComplianceReport) -> None:
        """All have; the job isn't stored yet."""
