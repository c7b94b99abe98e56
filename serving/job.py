"""A job: one article on its way to a report. Pure; stores keep it, workers move it on."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class JobStatus(StrEnum):
    """queued -> running -> completed | partial | failed; cancelled from the first two; running -> queued again."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"  # a report with gaps
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(IntEnum):
    """Who waits for whom: a lower one goes first."""

    INTERACTIVE = 0  # an editor waits for it
    BATCH = 10


ENDED = frozenset({JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED})
REPORTED = frozenset({JobStatus.COMPLETED, JobStatus.PARTIAL})  # with a report that an editor sees
STANDS_FOR_EQUALS = frozenset({JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.COMPLETED})
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
    checked: tuple[str, ...] = ()  # those that finished, in the order they did
    reason: str = ""  # why it failed, or what stopped the current attempt
    started: datetime | None = None
    finished: datetime | None = None
    lease_until: datetime | None = None
    priority: Priority = Priority.INTERACTIVE
    turn: int = 0  # among its priority; the store sets it
    due: datetime | None = None  # a queued job isn't handed out before
    dead: bool = False  # failed because too many attempts ended without a result
    attempts_from: int = 0  # attempts up to this one don't count any more
    revision: int = 0  # grows with each change
    article_hash: str = ""  # equal for what would be checked alike
    callback_url: str = ""
    batch: str = ""
    trace_parent: str = ""  # W3C Trace Context of the request

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def stands_for(self, priority: Priority, since: datetime) -> bool:
        """Whether it answers a request for an equal article: submitted later, whole, and no later done."""
        as_soon = self.status is JobStatus.COMPLETED or self.priority <= priority  # no editor waits where a batch does
        return self.status in STANDS_FOR_EQUALS and self.submitted > since and as_soon

    def ended_as(self, status: JobStatus, now: datetime, *, reason: str = "") -> "Job":
        if status not in ENDED:
            raise ValueError(f"a job ends as one of {', '.join(sorted(ENDED))}, got {status}")
        return replace(self._moved(status), finished=now, lease_until=None, reason=reason)

    def given_back(self, now: datetime, *, max_attempts: int, reason: str, pause: timedelta = timedelta(0)) -> "Job":
        """Queued again after its worker was lost or stumbled; dead when it has been tried often enough."""
        if (tried := self.attempt - self.attempts_from) >= max_attempts:
            reason = f"given up after {tried} {'attempt' if tried == 1 else 'attempts'}: {reason}"
            return replace(self.ended_as(JobStatus.FAILED, now, reason=reason), dead=True)
        job = replace(self._moved(JobStatus.QUEUED), done=0, guideline="", checked=(), reason=reason)
        return replace(job, lease_until=None, started=None, due=now + pause if pause else None)

    def handed_back(self, reason: str, due: datetime | None = None) -> "Job":
        """Queued again, at once or from `due` on, for a reason that isn't the job's: the attempt doesn't count."""
        job = replace(self._moved(JobStatus.QUEUED), done=0, guideline="", checked=(), reason=reason)
        return replace(job, lease_until=None, started=None, due=due, attempts_from=self.attempts_from + 1)

    def requeued(self, now: datetime) -> "Job":
        """A dead job gets its attempts anew. `attempt` goes on, so that no old worker can write."""
        if not self.dead:
            raise ValueError(f"job {self.id} is {self.status} and was not given up")
        job = replace(self, status=JobStatus.QUEUED, dead=False, done=0, guideline="", checked=(), reason="")
        return replace(job, started=None, finished=None, due=None, attempts_from=self.attempt)

    def _moved(self, status: JobStatus) -> "Job":
        if status not in MOVES.get(self.status, frozenset()):
            raise ValueError(f"job {self.id} is {self.status} and can't become {status}")
        return replace(self, status=status)
