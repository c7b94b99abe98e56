"""An editor decides about findings."""

from collections.abc import Sequence
from datetime import datetime

from serving.errors import FindingNotFound, JobWithoutResult
from serving.feedback import Decision, Dismissals, Saying
from serving.job import REPORTED
from serving.ports.feedback import Feedback
from serving.ports.jobs import JobStore
from serving.usecases.follow import find_job


async def decide(
    jobs: JobStore,
    feedback: Feedback,
    *,
    job_id: str,
    user: str,
    decisions: Sequence[Decision],
    dismissals: Dismissals,
    now: datetime,
) -> None:
    """All of the decisions or none; what stands already changes nothing.

    Raises JobNotFound, JobWithoutResult, and FindingNotFound for a finding that isn't the report's.
    """
    job = await find_job(jobs, job_id=job_id, user=user)
    if job.status not in REPORTED:
        raise JobWithoutResult(f"job {job_id} is {job.status}, so it has no findings to decide about")
    guidelines = await feedback.findings(job_id)
    if unknown := [decision.finding for decision in decisions if decision.finding not in guidelines]:
        raise FindingNotFound(
            f"job {job_id} has no finding {unknown[0]!r}: send the fingerprint of one that its report has"
        )
    await feedback.decide(Saying(job, guidelines, decisions, now, dismissals))
