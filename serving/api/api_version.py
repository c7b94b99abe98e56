"""Versions of the API beside each other: each has its own paths, schemas and description."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.direct import DirectRoute
from serving.api.problems import RESPONSES


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """Its routers have their paths under `/api/NAME`. Times are UTC."""

    name: str
    routers: tuple[APIRouter, ...]
    deprecated: datetime | None = None  # since when
    sunset: datetime | None = None  # when it stops to answer
    direct: tuple[DirectRoute, ...] = ()  # shorter ways to endpoints of the routers

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9745 and RFC 8594."""
        headers = {}
        if self.deprecated:
            headers["Deprecation"] = f"@{int(self.deprecated.timestamp())}"
        if self.sunset:
            headers["Sunset"] = format_datetime(self.sunset, usegmt=True)
        return headers


class Deprecations:
    """Pure ASGI. Tells clients of a version that it ends, with every answer under its path."""

    def __init__(self, app: ASGIApp, versions: Sequence[ApiVersion]) -> None:
        self._app = app
        self._headers = {f"/api/{version.name}/": version.headers for version in versions if version.headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = next((h for path, h in self._headers.items() if scope.get("path", "").startswith(path)), None)
        if found is None:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(found)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def description_of(version: ApiVersion, *, release: str) -> APIRouter:
    """`/api/NAME/openapi.json`, with this version's routes alone."""
    alone = FastAPI(title="Copydesk", version=release, responses=RESPONSES)
    for router in version.routers:
        alone.include_router(router)
    described = APIRouter(include_in_schema=False)

    @described.get(f"/api/{version.name}/openapi.json")
    async def description() -> JSONResponse:
        return JSONResponse(alone.openapi())

    return described
