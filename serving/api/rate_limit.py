"""How many requests a user may make, said in headers (draft-ietf-httpapi-ratelimit-headers-11)."""

import math

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.services import Services
from serving.errors import RateLimited
from serving.ports.control import Allowance

POLICY = "default"


async def limited(use: Services, user: str, request: Request) -> None:
    """Counts a request; raises RateLimited. What is left goes into the answer's headers, whatever the answer is."""
    allowance = await use.limits.take(user)
    request.state.allowance = allowance
    if not allowance.allowed:
        seconds = _whole(allowance.reset_seconds)
        raise RateLimited(
            f"user {user} has made more than {allowance.limit} requests in {allowance.window_seconds:g} seconds: "
            f"wait {seconds} seconds, and ask less often",
            retry_after=seconds,
        )


def rate_limit_headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    policy = f'"{POLICY}";q={allowance.limit};w={_whole(allowance.window_seconds)}'
    headers = [(b"ratelimit-policy", policy.encode())]
    if allowance.remaining is not None:
        left = f'"{POLICY}";r={allowance.remaining};t={_whole(allowance.reset_seconds)}'
        headers.append((b"ratelimit", left.encode()))
    return headers


class RateLimitHeaders:
    """Pure ASGI. Adds the headers of a request that was counted, also to problems and ready-made responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and (allowance := state.get("allowance")):
                message["headers"] = [*message.get("headers", ()), *rate_limit_headers(allowance)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _whole(seconds: float) -> int:
    """Rounded up, so that who waits for so long has waited long enough."""
    return max(1, math.ceil(seconds))
