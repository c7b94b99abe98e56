"""`/healthz`, `/readyz` and `/metrics`, for whoever keeps the service up."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from serving.api.access import scraping
from serving.api.problems import problem
from serving.api.services import Services, services
from serving.exposition import CONTENT_TYPE
from serving.usecases.readiness import served_champion

RETRY_SECONDS = 5

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


class DependencyOut(BaseModel):
    up: bool
    needed: bool  # without it no article can be checked
    reason: str | None = None  # why it isn't up


class ReadyOut(BaseModel):
    """Articles can be checked; slower, or with less, where something that isn't needed is down."""

    status: str = "ready"
    version: str
    waiting: int
    dependencies: dict[str, DependencyOut]
    degraded: list[str]  # names of those that are down


@router.get("/readyz", response_model=ReadyOut)
async def readiness(use: Annotated[Services, Depends(services)]) -> ReadyOut | Response:
    """Articles can be checked: what is needed for it answers. 503 is a problem that says what doesn't, and why."""
    standing = await use.dependencies.standing()
    shown = {
        each.name: DependencyOut(up=each.up, needed=each.needed, reason=str(each.failure) if each.failure else None)
        for each in standing
    }
    failure = next((each.failure for each in standing if each.needed and each.failure), None)
    if failure is not None:
        members = {"dependencies": {name: each.model_dump() for name, each in shown.items()}}
        return problem(failure.type, 503, str(failure), retry_after=RETRY_SECONDS, members=members)
    version = await served_champion(use.versions)
    return ReadyOut(
        version=version.stamp.number,
        waiting=await use.jobs.waiting(),
        dependencies=shown,
        degraded=[each.name for each in standing if not each.up],
    )


@router.get("/metrics", include_in_schema=False, dependencies=[Depends(scraping)])
async def metrics(use: Annotated[Services, Depends(services)]) -> Response:
    """For Prometheus."""
    return Response(await use.exposition.text(), media_type=CONTENT_TYPE)
