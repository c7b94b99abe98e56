"""Takes one job from claimed to ended."""

import asyncio
import hashlib
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.errors import CopydeskError
from agent.recording import Recording
from agent.report import ComplianceReport, ReportStatus
from agent.stored_article import load_article
from serving.job import Job, JobStatus
from serving.ports import BlobStore, Champion, Clock, JobQueue

if TYPE_CHECKING:
    from agent.graph import Progress

logger = logging.getLogger(__name__)

PROGRESS_EVERY = timedelta(seconds=0.2)  # patterns finish in milliseconds; nobody reads that fast
TRANSIENT = 500  # failures with such a status or a higher one may be over at the next attempt

STATUS = {
    ReportStatus.COMPLETE: JobStatus.COMPLETED,
    ReportStatus.PARTIAL: JobStatus.PARTIAL,
    ReportStatus.FAILED: JobStatus.FAILED,
}


class _Lost(Exception):
    """The job isn't this attempt's any more: cancelled, or taken back after a silence."""


async def execute(
    queue: JobQueue,
    blobs: BlobStore,
    champion: Champion,
    *,
    job: Job,
    clock: Clock,
    lease: timedelta,
    record_rate: float = 0.0,
) -> bool:
    """Checks a claimed job's article and stores how it ended; False when this attempt did not end it.

    `record_rate`: the part of all jobs whose exchanges with the model are stored, 0-1.
    """
    checking = asyncio.create_task(_check(queue, blobs, champion, job, clock, recorded=is_sampled(job.id, record_rate)))
    renewing = asyncio.create_task(_renew(queue, job, clock, lease))
    try:
        await asyncio.wait({checking, renewing}, return_when=asyncio.FIRST_COMPLETED)
        if not checking.done():
            await renewing
        report, recording = await checking
        return await queue.finish(*ended(job, report, clock()), recording)
    except _Lost:
        logger.info("job %s attempt %d was taken away", job.id, job.attempt)
        return False
    except CopydeskError as error:
        if error.status < TRANSIENT:
            return await queue.finish(job.ended_as(JobStatus.FAILED, clock(), reason=str(error)), None)
        logger.warning("job %s attempt %d: %s", job.id, job.attempt, error)
        await queue.stumbled(job, str(error))
        return False
    except Exception as error:
        logger.exception("job %s attempt %d went wrong", job.id, job.attempt)
        await queue.stumbled(job, f"an unexpected {type(error).__name__}, which the worker's log explains")
        return False
    finally:
        for task in (checking, renewing):
            task.cancel()
        await asyncio.gather(checking, renewing, return_exceptions=True)


def ended(job: Job, report: ComplianceReport, now: datetime) -> tuple[Job, ComplianceReport]:
    """The job as its report ends it."""
    reason = ""
    if report.status is ReportStatus.FAILED:
        reason = "no guideline could be checked: " + "; ".join(sorted({o.reason for o in report.unchecked}))
    count = len(report.outcomes)
    return replace(job.ended_as(STATUS[report.status], now, reason=reason), done=count, total=count), report


def is_sampled(job_id: str, rate: float) -> bool:
    """The same for every attempt of a job."""
    return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:8]) < rate * 2**64


async def _check(
    queue: JobQueue, blobs: BlobStore, champion: Champion, job: Job, clock: Clock, *, recorded: bool
) -> tuple[ComplianceReport, bytes | None]:
    agent = await champion.agent(job.version)
    data = await blobs.get(job.blob)
    if data is None:
        raise CopydeskError("the article is no longer kept: submit it again")
    written = clock() - PROGRESS_EVERY

    async def advance(progress: "Progress") -> None:
        nonlocal written
        if clock() - written < PROGRESS_EVERY:
            return
        if not await queue.progress(job, progress.done, progress.total, progress.guideline):
            raise _Lost
        written = clock()

    article, guidelines = load_article(data), job.request.guidelines
    recording = Recording.begin(agent.spec, article, guidelines) if recorded else None
    report = await agent.check(article, guidelines=guidelines, on_progress=advance, recording=recording)
    return report, recording.dump() if recording else None


async def _renew(queue: JobQueue, job: Job, clock: Clock, lease: timedelta) -> None:
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        if not await queue.renew(job, clock() + lease):
            raise _Lost
