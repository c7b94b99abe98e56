"""What the use cases need from the outside, by capability."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from agent.guideline import GuidelinePack
from agent.report import ComplianceReport, VersionStamp
from serving.job import Job

if TYPE_CHECKING:
    from agent.graph import Agent  # LangGraph stays out of the API's process

Clock = Callable[[], datetime]
Ticks = Callable[[], float]  # seconds that never go back


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to be accepted, with what makes it idempotent."""

    job: Job
    idempotency_key: str = ""
    request_hash: str = ""


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A version that some worker can serve."""

    stamp: VersionStamp
    pack: GuidelinePack
    champion: bool
    served: datetime  # when a worker last said so


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A finished job that MLflow is to be told of. `attempt` fences: only who holds the current one may write."""

    job: Job
    report: ComplianceReport
    attempt: int  # from 1
    recording: bytes | None = None  # where the job was recorded


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a user may make this request, and how many more until the window ends."""

    allowed: bool
    limit: int
    window_seconds: float
    remaining: int | None  # None: it isn't known how many were made
    reset_seconds: float


class JobStore(Protocol):
    """Jobs and their results. The row is the truth."""

    async def add(self, submission: Submission) -> None:
        """Stores a queued job; what it returned is kept."""

    async def get(self, job_id: str) -> Job | None: ...

    async def by_idempotency_key(self, user: str, key: str) -> tuple[Job, str] | None:
        """The job and the request hash a user's key stands for."""

    async def position(self, job: Job) -> int:
        """Place in the queue, from 1."""

    async def waiting(self) -> int:
        """How many jobs are queued."""

    async def result(self, job_id: str) -> str | None:
        """The report as JSON."""

    async def cancel(self, job_id: str, now: datetime) -> Job | None:
        """The cancelled job; None when it has ended before."""


class JobQueue(Protocol):
    """Hands jobs to workers, each to one at a time."""

    async def claim(self, code_digest: str, now: datetime, lease: timedelta) -> Job | None:
        """The oldest queued job of this code, now running."""

    async def renew(self, job: Job, until: datetime) -> bool:
        """Keeps a running job; False when it isn't this attempt's any more."""

    async def progress(self, job: Job, done: int, total: int, guideline: str) -> bool:
        """Notes how far this attempt is; False when the job isn't its any more."""

    async def stumbled(self, job: Job, reason: str) -> bool:
        """Notes what stopped this attempt; the job goes back when its lease runs out."""

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> bool:
        """Stores the ended job, its report, what was recorded and an outbox entry at once.

        False when this attempt was fenced off.
        """

    async def give_back(self, now: datetime, *, max_attempts: int) -> int:
        """Returns jobs whose lease has run out to the queue, or fails those tried often enough; how many."""


class Outbox(Protocol):
    """Finished jobs on their way to MLflow, each handed to one worker at a time."""

    async def claim(self, now: datetime, hold: timedelta) -> LogEntry | None:
        """The entry that is due, hidden from others until `hold` is over."""

    async def logged(self, entry: LogEntry, run_id: str) -> bool:
        """Takes the entry out; False when this attempt took too long and somebody else has it."""

    async def postponed(self, entry: LogEntry, until: datetime, reason: str) -> bool:
        """Has the entry tried again then; False as above."""

    async def waiting(self) -> int: ...


class ServedVersions(Protocol):
    """The versions workers can serve, as the API knows them."""

    async def put(self, version: ServedVersion) -> None:
        """Says that a worker serves this version, as the champion or not."""

    async def heard(self, number: str, now: datetime) -> None:
        """Says that a worker still serves a version, whoever is champion by now."""

    async def champion(self) -> ServedVersion | None: ...

    async def all(self) -> list[ServedVersion]: ...


class BlobStore(Protocol):
    """Articles by the hash of their content."""

    async def put(self, data: bytes) -> str:
        """Stores bytes and returns their key."""

    async def get(self, key: str) -> bytes | None: ...


class Champion(Protocol):
    """Versions as running agents."""

    async def current(self) -> ServedVersion | None:
        """The champion if this worker can serve it."""

    async def agent(self, number: str) -> "Agent":
        """The agent of a version; raises CopydeskError when it can't be loaded."""


class RunLog(Protocol):
    """Where production runs are logged."""

    async def log(self, entry: LogEntry) -> str:
        """Logs a finished job once, however often it is called; returns the run id."""


class Cache(Protocol):
    """Bytes kept for a short time. It may forget at any moment, and never fails."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, *, revision: int, seconds: float) -> None:
        """Keeps a value unless one of a higher revision, from 0, is kept: who read early can't undo who wrote late."""

    async def drop(self, *keys: str) -> None: ...


class RateLimits(Protocol):
    """How many requests each user may make in a window of time."""

    async def take(self, user: str) -> Allowance:
        """Counts a request; it is allowed when nobody can count."""


class Revocations(Protocol):
    """Sessions that were ended before their time."""

    async def revoke(self, id: str, seconds: float) -> None:
        """Keeps the session's id for as long as its token would be good."""

    async def is_revoked(self, id: str) -> bool: ...
