"""Takes one job from claimed to ended."""

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.errors import CopydeskError
from agent.report import ComplianceReport, ReportStatus
from serving.job import Job, JobStatus
from serving.ports import BlobStore, Champion, Clock, JobQueue
from serving.stored_article import load_article

if TYPE_CHECKING:
    from agent.graph import Progress

logger = logging.getLogger(__name__)

STATUS = {
    ReportStatus.COMPLETE: JobStatus.COMPLETED,
    ReportStatus.PARTIAL: JobStatus.PARTIAL,
    ReportStatus.FAILED: JobStatus.FAILED,
}


class _Lost(Exception):
    """The job isn't this attempt's any more: cancelled, or taken back after a silence."""


async def execute(
    queue: JobQueue, blobs: BlobStore, champion: Champion, *, job: Job, clock: Clock, lease: timedelta
) -> bool:
    """Checks a claimed job's article and stores how it ended; False when somebody else has the job by then."""
    checking = asyncio.create_task(_check(queue, blobs, champion, job))
    renewing = asyncio.create_task(_renew(queue, job, clock, lease))
    try:
        await asyncio.wait({checking, renewing}, return_when=asyncio.FIRST_COMPLETED)
        if renewing.done() and not checking.done():
            logger.info("job %s attempt %d was taken away", job.id, job.attempt)
            return False
        return await _finish(queue, job, checking, clock)
    except _Lost:
        logger.info("job %s attempt %d was taken away", job.id, job.attempt)
        return False
    finally:
        for task in (checking, renewing):
            task.cancel()
        await asyncio.gather(checking, renewing, return_exceptions=True)


async def _check(queue: JobQueue, blobs: BlobStore, champion: Champion, job: Job) -> ComplianceReport:
    agent = await champion.agent(job.version)
    data = await blobs.get(job.blob)
    if data is None:
        raise CopydeskError("the article is no longer kept: submit it again")

    async def advance(progress: "Progress") -> None:
        if not await queue.progress(job, progress.done, progress.total, progress.guideline):
            raise _Lost

    return await agent.check(load_article(data), guidelines=job.request.guidelines, on_progress=advance)


async def _renew(queue: JobQueue, job: Job, clock: Clock, lease: timedelta) -> None:
    """Returns when the job is lost."""
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        if not await queue.renew(job, clock() + lease):
            return


async def _finish(queue: JobQueue, job: Job, checking: "asyncio.Task[ComplianceReport]", clock: Clock) -> bool:
    try:
        report = await checking
    except CopydeskError as error:
        return await queue.finish(job.ended_as(JobStatus.FAILED, clock(), reason=str(error)), None)
    reason = ""
    if report.status is ReportStatus.FAILED:
        reason = "no guideline could be checked: " + "; ".join(sorted({o.reason for o in report.unchecked}))
    return await queue.finish(job.ended_as(STATUS[report.status], clock(), reason=reason), report)
