"""`/healthz` and `/readyz`, for whoever keeps the service up."""

from typing import Annotated

from fastapi import APIRouter, Depends

from serving.api.services import Services, services
from serving.usecases.readiness import ready

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readiness(use: Annotated[Services, Depends(services)]) -> dict[str, str | int]:
    """Articles can be checked: the database answers and a worker serves a version. 503 says what is missing."""
    version = await ready(use.versions, now=use.clock())
    return {"status": "ready", "version": version.stamp.number, "waiting": await use.jobs.waiting()}
