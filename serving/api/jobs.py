"""`/api/v1/jobs`: where a job is, its report, and cancelling it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from serving.api.access import Who, allowed, claimed
from serving.api.checks import RETRY_AFTER_SECONDS
from serving.api.conditional import REPORT_SECONDS, STATUS_SECONDS, answered
from serving.api.cursors import dump_cursor, load_cursor
from serving.api.direct import DirectRoute
from serving.api.schemas import JobsOut, ResultOut, StatusOut
from serving.api.services import Services, services
from serving.job import ENDED
from serving.lineage import Lineage
from serving.together import together
from serving.usecases import follow
from serving.usecases.explain import explain

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
short = APIRouter(prefix="/jobs", include_in_schema=False)  # the paths other systems were given

Use = Annotated[Services, Depends(services)]
_UNCHANGED: dict[int | str, dict[str, object]] = {304: {"description": "What If-None-Match names is still so"}}


@router.get("")
async def list_jobs(
    use: Use, caller: Who, cursor: str = "", limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> JobsOut:
    """Your jobs, the latest first; `next` goes on where the page ends."""
    found = await use.jobs.page(caller.user, load_cursor(cursor), limit + 1)
    page = found[:limit]
    following = dump_cursor(page[-1].submitted, page[-1].id) if len(found) > limit else None
    return JobsOut(jobs=[StatusOut.of(follow.Standing(job, None)) for job in page], next=following)


@router.get("/{job_id}/status", response_model=StatusOut, responses=_UNCHANGED)
@short.get("/{job_id}/status")
async def job_status(request: Request, job_id: str, use: Use, caller: Who) -> Response:
    """Where the job is: its place in the queue, or how many guidelines are done."""
    return answered(request, await use.answers.status(job_id, caller.user), seconds=STATUS_SECONDS)


@router.get(
    "/{job_id}/result",
    response_model=ResultOut,
    responses={202: {"model": StatusOut, "description": "Not finished yet"}, **_UNCHANGED},
)
@short.get("/{job_id}/result")
async def job_result(request: Request, job_id: str, use: Use, caller: Who) -> Response:
    """The report, again and again; 202 with the status while there is none yet."""
    answer = await use.answers.result(job_id, caller.user)
    if answer.status in ENDED:
        return answered(request, answer, seconds=REPORT_SECONDS)
    response = answered(request, answer, seconds=REPORT_SECONDS, status=202)
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


@router.get("/{job_id}/findings/{finding}/why")
async def finding_why(job_id: str, finding: str, use: Use, caller: Who) -> Lineage:
    """Where a finding of yours comes from: words, rule, model, version, evaluation, decision, promotion, run."""
    job = await follow.find_job(use.jobs, job_id=job_id, user=caller.user)
    return await explain(
        use.jobs, use.blobs, use.feedback, use.versions, use.decisions, use.trail, job=job, finding=finding
    )


@router.delete("/{job_id}")
async def cancel_job(job_id: str, use: Use, caller: Who) -> StatusOut:
    """Cancels a job that waits or runs."""
    job = await follow.cancel(use.jobs, job_id=job_id, user=caller.user, now=use.clock())
    use.metrics.jobs.labels(job.status).inc()
    await use.answers.changed(job)
    return StatusOut.of(follow.Standing(job, None))


async def _status(request: Request) -> Response:
    """As `job_status`. Whether the session was ended, how often its user asked, and what is kept of the job are one
    trip to Redis.
    """
    use, job_id = await services(request), request.path_params["job_id"]
    caller = await claimed(request, use)
    _, _, kept = await together(
        use.sign_in.confirm(caller), allowed(caller, request, use), use.answers.kept_status(job_id)
    )
    return answered(request, await use.answers.told(job_id, caller.user, kept), seconds=STATUS_SECONDS)


direct = tuple(
    DirectRoute(route, _status)
    for route in (*router.routes, *short.routes)
    if isinstance(route, APIRoute) and route.endpoint is job_status
)
