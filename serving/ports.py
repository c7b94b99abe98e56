"""What the use cases need from the outside, by capability."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from agent.check import AnsweredBy
from agent.guideline import GuidelinePack
from agent.report import ComplianceReport, VersionStamp
from agent.spec import ModelSpec
from serving.access.audit import Actor, AuditEntry
from serving.batch import Batch, BatchJob, Progress
from serving.callback import Callback, CallbackStanding
from serving.day import Ending
from serving.evidence import Evidence
from serving.feedback import ApprovalStatus, Entry, Saying
from serving.figures import Count
from serving.job import Job
from serving.rollout import Evidence as RolloutEvidence
from serving.rollout import Rollout
from serving.runs import CheckedDocument, Raised, Scope, Side
from serving.shadow import Bill, Compared, Pair, Shadow, Spent

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
    duplicates_since: datetime | None = None  # an equal article submitted later stands for this one
    queue_limit: int = 1000


@dataclass(frozen=True, slots=True)
class BatchSubmission:
    """A batch to be accepted, with its jobs in their order."""

    batch: Batch
    jobs: tuple[Job, ...]
    idempotency_key: str = ""
    request_hash: str = ""
    queue_limit: int = 10_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list, the latest first."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A version that some worker can serve."""

    stamp: VersionStamp
    pack: GuidelinePack
    champion: bool
    served: datetime  # when a worker last said so
    evidence: Evidence | None = None  # None: of a worker of an earlier release
    prompts: Mapping[str, str] = field(default_factory=dict)  # guideline -> MLflow prompt URI, of prompt guidelines
    model: ModelSpec | None = None  # None: it declares none

    @property
    def since(self) -> datetime:
        """When it was promoted, by the clock of who did; when a worker last told of it, where that isn't known."""
        promotion = self.evidence.promotion if self.evidence else None
        return promotion.at if promotion else self.served


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


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is to be done, on all workers together; ages are 0 where there is nothing."""

    waiting: int
    oldest_waiting_seconds: float
    running: int
    dead: int  # given up and not queued again
    unlogged: int  # ended, and MLflow hasn't been told
    oldest_unlogged_seconds: float  # since it ended


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a user may make this request, and how many more until the window ends."""

    allowed: bool
    limit: int
    window_seconds: float
    remaining: int | None  # None: it isn't known how many were made
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class Switch:
    """What an administrator has switched on for all processes."""

    name: str
    reason: str
    user: str
    at: datetime


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

    async def dead(self, limit: int) -> list[Job]:
        """Jobs that were given up, the latest first."""


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


class Feedback(Protocol):
    """What editors say of findings; the latest stands."""

    async def findings(self, job_id: str) -> dict[str, str]:
        """Fingerprint and guideline of what a job's report raises."""

    async def standing(self, user: str, document: str) -> dict[str, Entry]:
        """The latest entry of each finding in a user's document, by fingerprint; that may be an undo."""

    async def history(self, user: str, document: str, finding: str) -> list[Entry]:
        """All that was said of a finding, in its order."""

    async def decide(self, saying: Saying) -> list[Entry]:
        """Stores what is new of it and returns that. From then on results say so, and MLflow is to be told."""


class Approvals(Protocol):
    """Dismissals that count only with a guideline owner's approval."""

    async def pending(self, after: int, limit: int) -> list[Entry]:
        """Those nobody has judged yet, the oldest first, from the one after an id on."""

    async def judge(self, id: int, status: ApprovalStatus, *, by: Actor, comment: str, now: datetime) -> Entry | None:
        """The dismissal as it stands by then, noted in the audit; None where none such stands.

        The same again changes nothing.
        """


class Figures(Protocol):
    """What became of findings."""

    async def counts(self, since: datetime, version: str) -> list[Count]:
        """Of articles that were submitted since and of what was decided since; of one version, or all where empty."""


class Runs(Protocol):
    """What was checked, for who compares."""

    async def documents(self, side: Side, scope: Scope, limit: int) -> list[CheckedDocument]:
        """Each document's latest complete report of a side, the latest first."""

    async def raised(self, job_ids: Sequence[str]) -> list[Raised]:
        """The findings of these jobs."""

    async def reports(self, job_ids: Sequence[str]) -> dict[str, ComplianceReport]: ...

    async def versions(self, since: datetime) -> dict[str, int]:
        """How many complete reports each version made since."""

    async def channels(self, since: datetime) -> list[str]: ...

    async def ended(self, since: datetime) -> list[Ending]:
        """Of the jobs submitted since, those that have ended."""


class FeedbackOutbox(Protocol):
    """Jobs whose decisions MLflow is to be told of, each handed to one worker at a time once its run is logged."""

    async def is_due(self, now: datetime) -> bool: ...

    async def claim(self, now: datetime, hold: timedelta) -> FeedbackNews | None:
        """What is due, hidden from others until `hold` is over."""

    async def told(self, news: FeedbackNews) -> bool:
        """Takes it out; False when this attempt took too long, or more was decided meanwhile."""

    async def again(self, news: FeedbackNews, now: datetime) -> None:
        """Has it told once more, whoever is telling it."""

    async def postponed(self, news: FeedbackNews, until: datetime, reason: str) -> bool:
        """Has it tried again then; False as above."""


class FeedbackLog(Protocol):
    """Where decisions are told."""

    async def tell(self, news: FeedbackNews) -> None:
        """Makes it say the same as the news, however often it is called."""


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


class Callbacks(Protocol):
    """Calls to clients' own addresses, each handed to one worker at a time."""

    async def is_due(self, now: datetime) -> bool:
        """Whether some call is to be made now."""

    async def claim(self, now: datetime, hold: timedelta) -> Callback | None:
        """The call that is due, hidden from others until `hold` is over."""

    async def answered(self, callback: Callback) -> bool:
        """False when this attempt took too long and somebody else has the call."""

    async def postponed(self, callback: Callback, until: datetime | None, reason: str) -> bool:
        """Has the call made again then, or never; False as above."""

    async def unanswered(self, limit: int) -> list[CallbackStanding]:
        """Those that wait or were given up, the latest first."""


class Caller(Protocol):
    """Makes calls to addresses that clients named."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer; raises CopydeskError when there is none or the address may not be called."""


class ServedVersions(Protocol):
    """The versions workers can serve, as the API knows them."""

    async def put(self, version: ServedVersion) -> None:
        """Says that a worker serves this version, as the champion or not.

        Who doesn't know that it became champion takes nothing from it.
        """

    async def heard(self, number: str, now: datetime) -> None:
        """Says that a worker still serves a version, whoever is champion by now."""

    async def champion(self) -> ServedVersion | None: ...

    async def get(self, number: str) -> ServedVersion | None: ...
    async def challenger(self, number: str) -> ServedVersion | None:
        """A version that isn't champion, where some worker serves or served it."""

    async def all(self) -> list[ServedVersion]: ...


class Trail(Protocol):
    """How findings, jobs and what was logged hang together."""

    async def before(self, job: Job) -> Job | None:
        """The user's latest completed check of the same document before this one."""

    async def jobs_with(self, fingerprint: str) -> list[Job]:
        """Whose reports raise a finding, the latest first."""

    async def run_of(self, job_id: str) -> str:
        """The job's run in MLflow; empty while it isn't logged."""


class EvidenceKept(Protocol):
    """What stands behind the versions that were served, and whether it still does."""

    async def of(self, number: str) -> Evidence | None: ...

    async def expire(self, number: str, reason: str, now: datetime) -> bool:
        """Says that it doesn't any more; False where that was said before, or nothing is known of the version."""

    async def note(self, number: str, answered: Iterable[AnsweredBy]) -> bool:
        """Keeps what else answered; False where all of it was noted before."""


class Rollouts(Protocol):
    """Challengers beside the champion, one at a time."""

    async def now(self) -> datetime:
        """By the store's clock: stages are dated by it, whoever begins them, because jobs are held against them."""

    async def active(self) -> Rollout | None:
        """The one that moves articles."""

    async def latest(self, limit: int) -> list[Rollout]:
        """The latest first."""

    async def start(self, rollout: Rollout) -> None:
        """Raises RolloutRunning."""

    async def change(self, rollout: Rollout, *, by: Actor, now: datetime) -> bool:
        """Stores a rollout as it is now, with an audit entry; False where somebody else changed it before."""

    async def challenger_jobs(self, rollout: Rollout) -> int:
        """How many of this stage have ended."""

    async def evidence(self, rollout: Rollout) -> RolloutEvidence:
        """The ended jobs of this stage, without those of batches."""


class Shadows(Protocol):
    """Challengers unseen by editors, one at a time."""

    async def active(self) -> Shadow | None: ...

    async def latest(self) -> Shadow | None: ...

    async def start(self, shadow: Shadow) -> None:
        """Raises ShadowRunning."""

    async def stop(self, shadow: Shadow, reason: str, now: datetime, *, by: Actor) -> None: ...

    async def offer(self, shadow: Shadow, unit: str, job: Job, now: datetime) -> bool:
        """Has an article checked later; False for one of a document that was offered before, or one too many."""

    async def claim(self, shadow: Shadow, now: datetime) -> Job | None:
        """Begins an attempt at the article that has waited longest."""

    async def hand_back(self, shadow: Shadow, job: Job) -> None:
        """The attempt was none: it doesn't count."""

    async def editors_wait(self) -> bool:
        """Whether a job that an editor waits for is queued, or runs on some worker."""

    async def pay(self, shadow: Shadow, job: Job, bill: Bill) -> None:
        """Books what an attempt has cost, whatever came of it."""

    async def compared(self, shadow: Shadow, job: Job, found: Sequence[Compared], now: datetime) -> None: ...

    async def left_out(self, shadow: Shadow, job: Job, reason: str, now: datetime) -> None: ...

    async def spent(self, shadow: Shadow, since: datetime) -> Spent: ...

    async def pairs(self, shadow: Shadow) -> list[Pair]:
        """In the order they were compared."""

    async def counts(self, shadow: Shadow) -> dict[str, int]:
        """Articles by what became of them: waiting, compared, or why they were left out."""


class BlobStore(Protocol):
    """Articles by the hash of their content, and the inbox: files that other programs put there by their names.

    Raises BlobStoreUnavailable while it is away.
    """

    async def put(self, data: bytes) -> str:
        """Stores bytes and returns their key."""

    async def get(self, key: str) -> bytes | None: ...

    async def incoming(self, name: str) -> bytes | None:
        """A file of the inbox; raises ContentTooLarge for one that no article can be."""

    def older_than(self, moment: datetime) -> AsyncIterator[str]:
        """Keys of what was last put before, and names in the inbox."""

    async def delete(self, key: str, *, put_before: datetime) -> bool:
        """False where it is gone, or was put again since."""


class Retention(Protocol):
    """What is kept for a time only."""

    async def forget_jobs(self, before: datetime, limit: int) -> int:
        """Deletes so many of the ended jobs that were submitted earlier, with all that belongs to them; how many.

        A job that MLflow still has to be told of stays.
        """

    async def forget_batches(self, before: datetime) -> int:
        """Those of which no job is left."""

    async def forget_audit(self, before: datetime) -> int: ...

    async def old(self, *, articles: datetime, entries: datetime) -> tuple[int, int]:
        """How many jobs and audit entries would go."""

    async def used(self, blobs: Sequence[str]) -> set[str]:
        """Those that some job still names."""


class Champion(Protocol):
    """Versions as running agents."""

    async def current(self) -> ServedVersion | None:
        """The champion if this worker can serve it."""

    async def agent(self, number: str) -> "Agent":
        """The agent of a version that may check an editor's article.

        Raises CopydeskError when it can't be loaded, or no record lets it serve.
        """


class Unseen(Protocol):
    """Versions as running agents, for what no editor sees."""

    async def unseen(self, number: str) -> "Agent":
        """The agent of any version, decided on or not; raises CopydeskError when it can't be loaded."""


class RunLog(Protocol):
    """Where production runs are logged."""

    async def begin(self, entry: LogEntry) -> str:
        """Finds the run of a job, or makes it; returns its id."""

    async def complete(self, entry: LogEntry, run_id: str) -> None:
        """Writes all of it, the same however often it is called."""


class Backlogs(Protocol):
    """How much is to be done."""

    async def read(self, now: datetime) -> Backlog: ...


class Witness(Protocol):
    """Watches an attempt at a job while it runs."""

    def checked(self, guideline: str) -> None:
        """A guideline's check has just ended."""

    def reported(self, report: ComplianceReport) -> None:
        """All have; the job isn't stored yet."""


class Locks(Protocol):
    """Work that one worker at a time does for all of them."""

    async def hold(self, name: str, holder: str, now: datetime, term: timedelta) -> bool:
        """Takes a lock or keeps it; False while somebody else has it."""

    async def release(self, name: str, holder: str) -> None: ...


class Switches(Protocol):
    """Switches for all processes."""

    async def get(self, name: str) -> Switch | None:
        """None where it is off."""

    async def turn_on(self, switch: Switch, *, via: str) -> None:
        """Noted in the audit, as its user's step."""

    async def turn_off(self, name: str, by: Actor, now: datetime) -> bool:
        """Whether it was on; then it is noted in the audit."""


class Audit(Protocol):
    """Entries are only added, and removed by retention. Steps that change the database are noted where they do."""

    async def note(self, by: Actor, action: str, subject: str, detail: str = "", *, now: datetime) -> None: ...

    async def page(self, before: Cursor | None, limit: int) -> list[AuditEntry]:
        """The latest first, from the cursor on."""


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

    async def revoke(self, id: str, seconds: float) -> bool:
        """Keeps an id for as long as a token would be good; False when it was kept before."""

    async def is_revoked(self, *ids: str) -> bool:
        """Whether any of them is."""
