"""Refuses a request whose body is larger than any article may be."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.errors import ContentTooLarge
from serving.api.problems import problem

MAX_BODY_BYTES = 11 * 1024 * 1024  # a file of 10 MB with the form around it


class BodyLimit:
    """Pure ASGI. Says so before reading where the length is announced, and stops reading where it isn't."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._limit:
            refusal = problem(ContentTooLarge.type, ContentTooLarge.status, self._message())
            await refusal(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise ContentTooLarge(self._message())
            return message

        await self._app(scope, counted, send)

    def _message(self) -> str:
        return f"the request has more than {self._limit:,} bytes: check the article in parts"
