"""A way to one endpoint around FastAPI's routing and dependencies.

Most requests ask where a job is, and two thirds of the time each took went into finding the endpoint and what it
depends on. The endpoint, who may ask it and its description stay those of its route.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

Direct = Callable[[Request], Awaitable[Response]]


class DirectRoute(BaseRoute):
    """Calls `answer` with requests that `route` would get, and nothing else: other methods go on to `route` itself."""

    def __init__(self, route: APIRoute, answer: Direct) -> None:
        self._route = route
        self._matched = route.path_regex.fullmatch
        self._methods = frozenset(route.methods or ())
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["method"] not in self._methods:
            return Match.NONE, {}
        found = self._matched(scope["path"])
        if found is None:
            return Match.NONE, {}
        return Match.FULL, {"route": self._route, "endpoint": self._route.endpoint, "path_params": found.groupdict()}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)
