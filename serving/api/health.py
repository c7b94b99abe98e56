"""`/healthz` and `/readyz`, for whoever keeps the service up."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from serving.api.problems import problem
from serving.api.services import Services, services
from serving.errors import NoChampion
from serving.usecases.submit import served_champion

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=None)
async def ready(use: Annotated[Services, Depends(services)]) -> Response:
    """Articles can be checked: the database answers and a worker serves a version. 503 says what is missing."""
    try:
        version = await served_champion(use.versions)
    except NoChampion as error:
        return problem("not-ready", 503, str(error))
    return JSONResponse({"status": "ready", "version": version.stamp.number, "waiting": await use.jobs.waiting()})
