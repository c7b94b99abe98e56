"""`/api/v1/admin`: what keeps the service going, each step noted with who took it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, status
from pydantic import BaseModel, Field

from serving.api.access import Who
from serving.api.cursors import dump_cursor, load_cursor
from serving.api.given import Given
from serving.api.json_bodies import JsonRoute
from serving.api.schemas import JobsOut, StatusOut
from serving.api.services import Services, services
from serving.errors import JobNotFound
from serving.ports.control import DRAIN, Switch
from serving.usecases import follow
from serving.usecases.requeue import requeue as requeue_job

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=JsonRoute)

Use = Annotated[Services, Depends(services)]


class DrainIn(Given):
    """Why no articles are accepted: whoever submits one is told."""

    reason: str = Field(min_length=1, max_length=500)


class DrainOut(BaseModel):
    draining: bool
    reason: str | None = None
    by: str | None = None
    since: datetime | None = None
    unfinished: int  # jobs that wait or run


class AuditEntryOut(BaseModel):
    at: datetime
    user: str
    via: str
    action: str
    subject: str
    detail: str


class AuditOut(BaseModel):
    """A page of who did what, the latest first."""

    entries: list[AuditEntryOut]
    next: str | None


@router.get("/audit")
async def list_audit(use: Use, cursor: str = "", limit: Annotated[int, Query(ge=1, le=100)] = 50) -> AuditOut:
    """Who did what, the latest first."""
    found = await use.audit.page(load_cursor(cursor), limit + 1)
    page = found[:limit]
    following = dump_cursor(page[-1].at, page[-1].id) if len(found) > limit else None
    entries = [
        AuditEntryOut(at=e.at, user=e.user, via=e.via, action=e.action, subject=e.subject, detail=e.detail)
        for e in page
    ]
    return AuditOut(entries=entries, next=following)


@router.get("/jobs/dead")
async def list_dead(use: Use, cursor: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> JobsOut:
    """Jobs that were given up after too many attempts, the latest first; `next` goes on where the page ends."""
    found = await use.jobs.dead(load_cursor(cursor), limit + 1)
    page = found[:limit]
    following = dump_cursor(page[-1].submitted, page[-1].id) if len(found) > limit else None
    return JobsOut(jobs=[StatusOut.of(follow.Standing(job, None)) for job in page], next=following)


@router.post("/jobs/{job_id}/requeue")
async def requeue(job_id: str, use: Use, caller: Who) -> StatusOut:
    """Puts a job that was given up back into the queue, with all its attempts."""
    job = await requeue_job(use.jobs, use.answers, job_id=job_id, by=caller.actor, now=use.clock())
    return StatusOut.of(follow.Standing(job, None))


@router.delete("/jobs/{job_id}/cache", status_code=status.HTTP_204_NO_CONTENT)
async def clear_cache(job_id: str, use: Use, caller: Who) -> None:
    """Drops what is kept ready of a job's status and result: both are read from the database again."""
    if await use.jobs.get(job_id) is None:
        raise JobNotFound(follow.no_job(job_id))
    await use.answers.forget(job_id)
    await use.audit.note(caller.actor, "job.clear-cache", job_id, now=use.clock())


@router.get("/drain")
async def show_drain(use: Use) -> DrainOut:
    """Whether articles are accepted, and how many jobs are unfinished."""
    return await _drain(use)


@router.put("/drain")
async def begin_drain(asked: DrainIn, use: Use, caller: Who) -> DrainOut:
    """Accepts no more articles, on all replicas; what was accepted is finished."""
    await use.switches.turn_on(Switch(DRAIN, asked.reason, caller.user, use.clock()), via=caller.via)
    return await _drain(use)


@router.delete("/drain")
async def end_drain(use: Use, caller: Who) -> DrainOut:
    """Accepts articles again."""
    await use.switches.turn_off(DRAIN, caller.actor, use.clock())
    return await _drain(use)


async def _drain(use: Services) -> DrainOut:
    on, unfinished = await use.switches.get(DRAIN), await use.jobs.unfinished()
    if on is None:
        return DrainOut(draining=False, unfinished=unfinished)
    return DrainOut(draining=True, reason=on.reason, by=on.user, since=on.at, unfinished=unfinished)
