"""Puts jobs that were given up back into the queue."""

from collections.abc import AsyncIterator
from datetime import datetime

from agent.errors import CopydeskError
from serving.access.audit import Actor
from serving.answers import Answers
from serving.job import Job
from serving.ports.jobs import JobStore

AT_ONCE = 1000


class NotDead(CopydeskError):
    """The job was not given up, so there is nothing to queue again."""

    type = "not-dead"
    status = 409


async def requeue(jobs: JobStore, answers: Answers, *, job_id: str, by: Actor, now: datetime) -> Job:
    """With all its attempts, and noted with who did it; raises NotDead."""
    job = await jobs.requeue(job_id, by, now)
    if job is None:
        raise NotDead(f"job {job_id!r} was not given up: `copydesk jobs dead` and /api/v1/admin/jobs/dead list those")
    await answers.changed(job)
    return job


async def requeue_all(jobs: JobStore, answers: Answers, *, by: Actor, now: datetime) -> AsyncIterator[Job]:
    """Those that are dead now, however many. `jobs` has to read the primary: a replica still lists what is queued."""
    while dead := await jobs.dead(None, AT_ONCE):
        for job in dead:
            try:
                yield await requeue(jobs, answers, job_id=job.id, by=by, now=now)
            except NotDead:  # by somebody else, at the same moment
                continue
