"""Stops logging jobs to MLflow, and takes that back: each of both only when somebody says so."""

from datetime import datetime

from agent.errors import CopydeskError
from serving.access.audit import Actor
from serving.errors import JobNotFound
from serving.ports.jobs import JobStore
from serving.ports.log import UnloggedJobs

LISTED = "`copydesk jobs unlogged` lists what MLflow hasn't been told"


class NothingToStop(CopydeskError):
    """No try to log the job, or what was decided with its report, is to come."""

    type = "nothing-to-stop"
    status = 409


class NotStopped(CopydeskError):
    """Logging the job was not stopped, so there is nothing to take back."""

    type = "not-stopped"
    status = 409


async def stop_logging(
    unlogged: UnloggedJobs, jobs: JobStore, *, job_id: str, reason: str, by: Actor, now: datetime
) -> None:
    """No run of the job is logged any more, nor what was decided with its report; noted with who said so.

    Raises JobNotFound and NothingToStop.
    """
    if await unlogged.give_up(job_id, reason, by, now):
        return
    job = await jobs.get(job_id)
    if job is None:
        raise _no_job(job_id)
    if not job.ended:
        raise NothingToStop(
            f"job {job_id!r} is {job.status}, and is logged when it has ended: wait for that, or cancel it "
            f"(DELETE /api/v1/jobs/{job_id})"
        )
    if await unlogged.is_given_up(job_id):
        raise NothingToStop(f"logging job {job_id!r} was stopped before: `copydesk jobs log-again {job_id}` resumes it")
    raise NothingToStop(f"job {job_id!r} is logged to MLflow with all that was decided: {LISTED}")


async def log_again(unlogged: UnloggedJobs, jobs: JobStore, *, job_id: str, by: Actor, now: datetime) -> None:
    """What was stopped is due at once; raises JobNotFound and NotStopped."""
    if await unlogged.log_again(job_id, by, now):
        return
    if await jobs.get(job_id) is None:
        raise _no_job(job_id)
    raise NotStopped(f"logging job {job_id!r} was not stopped: {LISTED}, and what of it was stopped")


def _no_job(job_id: str) -> JobNotFound:
    return JobNotFound(f"there is no job {job_id!r}: {LISTED}, by the ids of jobs")
