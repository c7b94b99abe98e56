"""`/api/v1/jobs`: where a job is, its report, and cancelling it."""

from typing import Annotated

from fastapi import APIRouter, Depends, status
from fastapi.responses import JSONResponse

from serving.api.checks import RETRY_AFTER_SECONDS
from serving.api.schemas import ResultOut, StatusOut
from serving.api.services import LOCAL_USER, Services, services
from serving.usecases import follow

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
short = APIRouter(prefix="/jobs", include_in_schema=False)  # the paths other systems were given

Use = Annotated[Services, Depends(services)]


@router.get("/{job_id}/status")
@short.get("/{job_id}/status")
async def job_status(job_id: str, use: Use) -> StatusOut:
    """Where the job is: its place in the queue, or how many guidelines are done."""
    return StatusOut.of(await follow.status(use.jobs, job_id=job_id, user=LOCAL_USER))


@router.get("/{job_id}/result", responses={202: {"model": StatusOut, "description": "Not finished yet"}})
@short.get("/{job_id}/result")
async def job_result(job_id: str, use: Use) -> ResultOut:
    """The report, again and again; 202 with the status while there is none yet."""
    found = await follow.result(use.jobs, use.blobs, job_id=job_id, user=LOCAL_USER)
    if isinstance(found, follow.Standing):
        return JSONResponse(  # type: ignore[return-value]
            StatusOut.of(found).model_dump(mode="json"), status.HTTP_202_ACCEPTED, {"Retry-After": RETRY_AFTER_SECONDS}
        )
    return ResultOut.of(found)


@router.delete("/{job_id}")
async def cancel_job(job_id: str, use: Use) -> StatusOut:
    """Cancels a job that waits or runs."""
    job = await follow.cancel(use.jobs, job_id=job_id, user=LOCAL_USER, now=use.clock())
    return StatusOut.of(follow.Standing(job, None))
