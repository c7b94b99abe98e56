"""Takes one job from claimed to ended."""

import asyncio
import functools
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.errors import CopydeskError
from agent.recording import Recording
from agent.report import ComplianceReport, ReportStatus
from agent.stored_article import load_article
from serving.job import Job, JobStatus
from serving.ports.clocks import Clock
from serving.ports.jobs import Leases, Witness
from serving.ports.storage import BlobStore
from serving.ports.versions import Champion

if TYPE_CHECKING:
    from agent.graph import Progress

logger = logging.getLogger(__name__)

PROGRESS_EVERY = timedelta(seconds=0.2)  # patterns finish in milliseconds; nobody reads that fast
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
OUTAGE_PAUSE = timedelta(seconds=5)  # while something that every job needs is away
WRITES_IN_OUTAGE = 10  # tries in a lease, while the database is away
TRANSIENT = 500  # failures with such a status or a higher one may be over at the next attempt

STATUS = {
    ReportStatus.COMPLETE: JobStatus.COMPLETED,
    ReportStatus.PARTIAL: JobStatus.PARTIAL,
    ReportStatus.FAILED: JobStatus.FAILED,
}


class _Lost(Exception):
    """The job isn't this attempt's any more: cancelled, or taken back after a silence."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long and how often a job is tried."""

    lease: timedelta = timedelta(seconds=10)  # a worker that is silent for longer has lost its job
    max_attempts: int = 3
    record_rate: float = 0.0  # part of the jobs whose exchanges with the model are stored, 0-1


async def execute(
    leases: Leases,
    blobs: BlobStore,
    champion: Champion,
    *,
    job: Job,
    clock: Clock,
    terms: Terms,
    witness: Witness | None = None,
) -> Job | None:
    """Checks a claimed job's article and stores how the attempt ended.

    Returns the job as it is stored, or None when it isn't this attempt's any more. While the database is away the check
    goes on; raises DatabaseUnavailable where that lasts longer than a lease.
    """
    stored = functools.partial(_stored, clock=clock, lease=terms.lease)
    recorded = is_sampled(job.id, terms.record_rate)
    checking = asyncio.create_task(_check(leases, blobs, champion, job, clock, witness, recorded=recorded))
    renewing = asyncio.create_task(_renew(leases, job, clock, terms.lease))
    try:
        await asyncio.wait({checking, renewing}, return_when=asyncio.FIRST_COMPLETED)
        if not checking.done():
            await renewing
        report, recording = await checking
        if witness:
            witness.reported(report)
        done = ended(job, report, clock())
        return await stored(lambda: leases.finish(*done, recording))
    except _Lost:
        logger.info("job %s attempt %d was taken away", job.id, job.attempt)
        return None
    except CopydeskError as error:
        reason = str(error)
        if error.status < TRANSIENT:
            failed = job.ended_as(JobStatus.FAILED, clock(), reason=reason)
            return await stored(lambda: leases.finish(failed, None))
        logger.warning("job %s attempt %d: %s", job.id, job.attempt, error)
        if error.outage:  # however long it lasts, no job is given up for it
            return await stored(lambda: leases.hand_back(job, reason, due=clock() + OUTAGE_PAUSE))
        return await stored(lambda: _retry(leases, job, clock, terms, reason))
    except Exception as error:
        logger.exception("job %s attempt %d went wrong", job.id, job.attempt)
        reason = f"an unexpected {type(error).__name__}, which the worker's log explains"
        return await stored(lambda: _retry(leases, job, clock, terms, reason))
    finally:
        for task in (checking, renewing):
            task.cancel()
        await asyncio.gather(checking, renewing, return_exceptions=True)


async def _stored(write: Callable[[], Awaitable[Job | None]], *, clock: Clock, lease: timedelta) -> Job | None:
    """Writes how an attempt ended, again and again for one lease while the database is away."""
    until = clock() + lease
    while True:
        try:
            return await write()
        except CopydeskError as error:
            if not error.outage or clock() > until:
                raise
        await asyncio.sleep(lease.total_seconds() / WRITES_IN_OUTAGE)


def ended(job: Job, report: ComplianceReport, now: datetime) -> tuple[Job, ComplianceReport]:
    """The job as its report ends it."""
    reason = ""
    if report.status is ReportStatus.FAILED:
        reason = "no guideline could be checked: " + "; ".join(sorted({o.reason for o in report.unchecked}))
    count = len(report.outcomes)
    checked = tuple(outcome.guideline for outcome in report.outcomes)
    return replace(
        job.ended_as(STATUS[report.status], now, reason=reason), done=count, total=count, checked=checked
    ), report


def is_sampled(job_id: str, rate: float) -> bool:
    """The same for every attempt of a job."""
    return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:8]) < rate * 2**64


async def _retry(leases: Leases, job: Job, clock: Clock, terms: Terms, reason: str) -> Job | None:
    pause = backoff(job.attempt - job.attempts_from)
    return await leases.retry(job, clock(), reason, pause=pause, max_attempts=terms.max_attempts)


def backoff(attempt: int) -> timedelta:
    """After attempt 1, 2, 3 ...: 2, 8, 32 ... seconds, at most LONGEST_PAUSE."""
    return min(FIRST_PAUSE * (1 << 2 * min(attempt - 1, 10)), LONGEST_PAUSE)


async def _check(
    leases: Leases,
    blobs: BlobStore,
    champion: Champion,
    job: Job,
    clock: Clock,
    witness: Witness | None,
    *,
    recorded: bool,
) -> tuple[ComplianceReport, bytes | None]:
    agent = await champion.agent(job.version)
    data = await blobs.get(job.blob)
    if data is None:
        raise CopydeskError("the article is no longer kept: submit it again")
    written, checked = clock() - PROGRESS_EVERY, list[str]()

    async def advance(progress: "Progress") -> None:
        nonlocal written
        if witness:
            witness.checked(progress.guideline)
        checked.append(progress.guideline)
        if clock() - written < PROGRESS_EVERY:
            return
        try:
            stored = await leases.progress(job, checked, progress.total)
        except CopydeskError as error:
            if not error.outage:
                raise
        else:
            if stored is None:
                raise _Lost
        written = clock()

    article, guidelines = load_article(data), job.request.guidelines
    recording = Recording.begin(agent.spec, article, guidelines) if recorded else None
    report = await agent.check(article, guidelines=guidelines, on_progress=advance, recording=recording)
    return report, recording.dump() if recording else None


async def _renew(leases: Leases, job: Job, clock: Clock, lease: timedelta) -> None:
    """Raises what keeps it from renewing only when the lease has run out by then."""
    until, pause = clock() + lease, lease / 3
    while True:
        await asyncio.sleep(pause.total_seconds())
        renewed = clock() + lease
        try:
            kept = await leases.renew(job, renewed)
        except CopydeskError as error:
            if not error.outage or clock() > until:
                raise
            pause = lease / WRITES_IN_OUTAGE
            continue
        if not kept:
            raise _Lost
        until, pause = renewed, lease / 3
