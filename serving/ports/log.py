"""What MLflow is to be told, and MLflow."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from agent.report import ComplianceReport
from serving.access.audit import Actor
from serving.feedback import Entry
from serving.job import Job


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An ended job that MLflow is to be told of. `attempt` fences: only who holds the current one may write."""

    job: Job
    report: ComplianceReport | None  # None: it failed without one, or was cancelled
    attempt: int  # from 1
    recording: bytes | None = None  # where the job was recorded
    run_id: str = ""  # of a run that an earlier attempt began


@dataclass(frozen=True, slots=True)
class FeedbackNews:
    """What MLflow is to know of the decisions made with one job's report. `attempt` fences, as in LogEntry."""

    job: Job
    run_id: str  # of the job, which is logged
    entries: tuple[Entry, ...]  # of the job's decisions those that stand
    guidelines: tuple[str, ...]  # all that were ever decided on with this report
    latest: int  # id of the latest entry that is reckoned with
    attempt: int  # from 1


class Lacking(StrEnum):
    """What MLflow doesn't have."""

    RUN = "run"
    DECISIONS = "decisions"  # made with the report of a job whose run it has


@dataclass(frozen=True, slots=True)
class Unlogged:
    """An ended job that isn't in MLflow, or not with all that was decided."""

    job: str
    lacking: Lacking
    ended: datetime
    attempts: int
    due: datetime | None  # when it is tried next; None: it was given up
    reason: str  # of the last failure, or why it was given up; empty: it wasn't tried yet


@dataclass(frozen=True, slots=True)
class UnloggedCount:
    """How many those are."""

    due: int
    given_up: int


class Outbox(Protocol):
    """Finished jobs on their way to MLflow, each handed to one worker at a time."""

    async def is_due(self, now: datetime) -> bool:
        """Whether some entry is to be logged now."""

    async def claim(self, now: datetime, hold: timedelta) -> LogEntry | None:
        """The entry that is due, hidden from others until `hold` is over."""

    async def began(self, entry: LogEntry, run_id: str) -> bool:
        """Notes the run before anything is written to it; False as below."""

    async def logged(self, entry: LogEntry, run_id: str) -> bool:
        """Takes the entry out; False when this attempt took too long and somebody else has it."""

    async def postponed(self, entry: LogEntry, until: datetime, reason: str) -> bool:
        """Has the entry tried again then; False as above."""


class RunLog(Protocol):
    """Where production runs are logged."""

    async def begin(self, entry: LogEntry) -> str:
        """Finds the run of a job, or makes it; returns its id."""

    async def complete(self, entry: LogEntry, run_id: str) -> None:
        """Writes all of it, the same however often it is called."""


class FeedbackOutbox(Protocol):
    """Jobs whose decisions MLflow is to be told of, each handed to one worker at a time once its run is logged."""

    async def is_due(self, now: datetime) -> bool: ...

    async def claim(self, now: datetime, hold: timedelta) -> FeedbackNews | None:
        """What is due, hidden from others until `hold` is over."""

    async def told(self, news: FeedbackNews) -> bool:
        """Takes it out; False when this attempt took too long, or more was decided meanwhile."""

    async def again(self, news: FeedbackNews, now: datetime) -> None:
        """Has it told once more, whoever is telling or has told it; not when it was given up."""

    async def postponed(self, news: FeedbackNews, until: datetime, reason: str) -> bool:
        """Has it tried again then; False as above."""


class FeedbackLog(Protocol):
    """Where decisions are told."""

    async def tell(self, news: FeedbackNews) -> None:
        """Makes it say the same as the news, however often it is called."""


class UnloggedJobs(Protocol):
    """What MLflow hasn't been told of ended jobs, for whoever looks after it."""

    async def page(self, limit: int) -> list[Unlogged]:
        """Those that are tried again by their end, the oldest first, and then those that were given up."""

    async def count(self) -> UnloggedCount: ...

    async def is_given_up(self, job_id: str) -> bool: ...

    async def give_up(self, job_id: str, reason: str, by: Actor, now: datetime) -> bool:
        """Ends the tries to log an ended job, or what was decided where its run is logged, and notes it in the audit.

        False where there is nothing to be tried again. Whoever tries it at that moment may write no more.
        """

    async def log_again(self, job_id: str, by: Actor, now: datetime) -> bool:
        """Has what was given up tried at once, and notes it in the audit; False where nothing was."""
