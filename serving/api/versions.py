"""`/api/v1/guidelines` and `/api/v1/versions`: what is checked, and by what."""

from typing import Annotated

from fastapi import APIRouter, Depends

from serving.api.schemas import GuidelinesOut, VersionOut
from serving.api.services import Services, services
from serving.usecases.readiness import served_champion

router = APIRouter(prefix="/api/v1", tags=["versions"])

Use = Annotated[Services, Depends(services)]


@router.get("/guidelines")
async def list_guidelines(use: Use) -> GuidelinesOut:
    """The guidelines of the champion."""
    return GuidelinesOut.of(await served_champion(use.versions))


@router.get("/versions")
async def list_versions(use: Use) -> list[VersionOut]:
    """The versions that workers have served, the latest first, each with what it was promoted with."""
    return [VersionOut.of(version) for version in await use.versions.all()]
