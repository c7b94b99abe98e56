"""A job: one article on its way to a report. Pure; stores keep it, workers move it on."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class JobStatus(StrEnum):
    """queued -> running -> completed | partial | failed; cancelled from the first two; running -> queued again."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"  # a report with gaps
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED})
MOVES = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.CANCELLED}),
    JobStatus.RUNNING: ENDED | {JobStatus.QUEUED},
}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, beside the article itself."""

    user: str
    channel: str  # word, page, api, batch ...
    document_id: str
    title: str
    language: str
    guidelines: tuple[str, ...] | None  # None: the version's whole pack


@dataclass(frozen=True, slots=True)
class Job:
    """Times are UTC. `attempt` fences: only who holds the current one may write."""

    id: str
    request: Request
    version: str  # number of the version it is bound to
    code_digest: str  # of that version; only a worker with this code may take it
    blob: str  # key of the canonical article
    submitted: datetime
    status: JobStatus = JobStatus.QUEUED
    attempt: int = 0
    done: int = 0  # guidelines checked so far
    total: int | None = None
    guideline: str = ""  # the last one that finished
    reason: str = ""  # why it failed, or what stopped the current attempt
    started: datetime | None = None
    finished: datetime | None = None
    lease_until: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def claimed(self, now: datetime, lease: timedelta) -> "Job":
        job = self._moved(JobStatus.RUNNING)
        fresh = replace(job, done=0, guideline="", reason="")
        return replace(fresh, attempt=self.attempt + 1, started=now, lease_until=now + lease)

    def ended_as(self, status: JobStatus, now: datetime, *, reason: str = "") -> "Job":
        if status not in ENDED:
            raise ValueError(f"a job ends as one of {', '.join(sorted(ENDED))}, got {status}")
        return replace(self._moved(status), finished=now, lease_until=None, reason=reason)

    def given_back(self, now: datetime, *, max_attempts: int, reason: str) -> "Job":
        """Queued again after its worker was lost; failed when it has been tried often enough."""
        if self.attempt >= max_attempts:
            return self.ended_as(JobStatus.FAILED, now, reason=f"given up after {self.attempt} attempts: {reason}")
        job = replace(self._moved(JobStatus.QUEUED), done=0, guideline="", reason="")
        return replace(job, lease_until=None, started=None)

    def _moved(self, status: JobStatus) -> "Job":
        if status not in MOVES.get(self.status, frozenset()):
            raise ValueError(f"job {self.id} is {self.status} and can't become {status}")
        return replace(self, status=status)
