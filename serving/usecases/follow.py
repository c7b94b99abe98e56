"""Status and result of a job, and cancelling it."""

from dataclasses import dataclass
from datetime import datetime

from agent.article import Article
from agent.report import ComplianceReport
from agent.stored_article import load_article
from serving.errors import JobEnded, JobNotFound, JobWithoutResult
from serving.feedback import Entry, State, dismissed, document_of
from serving.job import REPORTED, Job, JobStatus
from serving.ports.feedback import Feedback
from serving.ports.jobs import JobStore
from serving.ports.storage import BlobStore


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job is; `position` in the queue, from 1, while it waits."""

    job: Job
    position: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """A job's report, with the score of what counts by now, and the text its offsets count in."""

    job: Job
    report: ComplianceReport
    article: Article
    decided: tuple[Entry, ...]  # what stands on its findings, in their order


async def find_job(store: JobStore, *, job_id: str, user: str) -> Job:
    """Raises JobNotFound, also for somebody else's job."""
    job = await store.get(job_id)
    if job is None or job.request.user != user:
        raise JobNotFound(no_job(job_id))
    return job


def no_job(job_id: str) -> str:
    return f"there is no job {job_id!r}: check the id that submitting returned"


async def status(store: JobStore, *, job_id: str, user: str) -> Standing:
    job = await find_job(store, job_id=job_id, user=user)
    return Standing(job, await store.position(job) if job.status is JobStatus.QUEUED else None)


async def result(store: JobStore, blobs: BlobStore, feedback: Feedback, *, job_id: str, user: str) -> Result | Standing:
    """The result, or where the job is while it has none; raises JobWithoutResult when it will never have one."""
    standing = await status(store, job_id=job_id, user=user)
    job = standing.job
    if not job.ended:
        return standing
    stored = await store.result(job_id) if job.status in REPORTED else None
    if stored is None:
        why = f": {job.reason}" if job.reason else ""
        raise JobWithoutResult(f"job {job_id} is {job.status}{why}; submit the article again")
    data = await blobs.get(job.blob)
    if data is None:
        raise JobWithoutResult(f"the article of job {job_id} is no longer kept: submit it again")
    report = ComplianceReport.model_validate_json(stored)
    # Read after the job: what is kept ready under the job's revision is at least as new as it.
    said = await feedback.standing(user, document_of(job))
    fingerprints = dict.fromkeys(finding.fingerprint for finding in report.findings)
    decided = tuple(said[id] for id in fingerprints if id in said and said[id].state is not State.NONE)
    return Result(job, report.without(dismissed(decided)), load_article(data), decided)


async def cancel(store: JobStore, *, job_id: str, user: str, now: datetime) -> Job:
    """The cancelled job; raises JobEnded when it has ended before."""
    job = await find_job(store, job_id=job_id, user=user)
    cancelled = await store.cancel(job_id, now)
    if cancelled is None:
        raise JobEnded(f"job {job_id} is {job.status} and can't be cancelled any more")
    return cancelled
