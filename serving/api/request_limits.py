"""How large a request may be, and how long it may take."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.errors import ContentTooLarge
from serving.api.problems import problem

MAX_BODY_BYTES = 11 * 1024 * 1024  # a file of 10 MB with the form around it
RETRY_AFTER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one request."""

    body_bytes: int = MAX_BODY_BYTES
    body_seconds: float = 30.0  # from its head to the end of its body
    answer_seconds: float = 30.0  # until the answer begins; waiting for the body doesn't count


class _Stopped(Exception):
    """The rest of a body isn't read; what is answered is known."""


class RequestLimits:
    """Pure ASGI. Says so before reading where the length is announced, and stops reading where it isn't.

    A stream may go on for as long as it likes: its answer has begun.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._limits.body_bytes:
            await _too_large(self._limits)(scope, receive, send)
            return
        request = _Limited(scope, receive, send, self._limits)
        try:
            await self._app(scope, request.receive, request.send)
        except _Stopped:
            pass
        except asyncio.CancelledError:
            if not request.is_given_up():
                raise
        finally:
            request.end()
        await request.refuse()


class _Limited:
    """A request on its way. Once it is refused, what the application makes of the broken body is dropped."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self._scope, self._receive, self._send, self._limits = scope, receive, send, limits
        self._loop = asyncio.get_running_loop()
        self._body_until = self._loop.time() + limits.body_seconds
        self._received, self._complete = 0, False
        self._timer: asyncio.TimerHandle | None = None
        self._refusal: Response | None = None
        self._refusing: asyncio.Task[None] | None = None
        self._started = False
        self._task = _current_task()
        self._cancelling = self._task.cancelling()
        self.wait_until(self._loop.time() + limits.answer_seconds)

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        message = await self._part()
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._received > self._limits.body_bytes:
            self._refusal = _too_large(self._limits)
            raise _Stopped
        return message

    async def _part(self) -> Message:
        """The next part of the body, for which the client alone is waited."""
        self.wait_until(None)
        try:
            async with asyncio.timeout_at(self._body_until):
                return await self._receive()
        except TimeoutError as error:
            self._refusal = _body_too_slow(self._limits)
            raise _Stopped from error
        finally:
            self.wait_until(self._loop.time() + self._limits.answer_seconds)

    async def send(self, message: Message) -> None:
        if self._refusal and not self._started:
            return
        self.wait_until(None)
        self._started = True
        await self._send(message)

    async def refuse(self) -> None:
        """Answers, where the application is not to; returns when that is done."""
        if self._refusing:
            await self._refusing
        elif self._refusal and not self._started:
            await self._refusal(self._scope, self._receive, self._send)

    def is_given_up(self) -> bool:
        """Whether this cancelled the application, and nobody else."""
        return self._refusing is not None and self._task.cancelling() == self._cancelling + 1

    def end(self) -> None:
        """Takes its own cancelling back, as `asyncio.timeout` does; one for each request took 3 % of its CPU."""
        self.wait_until(None)
        if self._refusing is not None:
            self._task.uncancel()

    def wait_until(self, when: float | None) -> None:
        """For the answer to begin; None: for as long as it takes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if when is not None and not self._started and not self._refusal:
            self._timer = self._loop.call_at(when, self._give_up)

    def _give_up(self) -> None:
        """The client is told at once: to undo what was begun may take a while, such as a lock that is waited for."""
        self._refusal = refusal = _too_slow(self._limits)
        self._refusing = self._loop.create_task(refusal(self._scope, self._receive, self._send))
        self._task.cancel()


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a request is answered in a task")
    return task


def _too_large(limits: Limits) -> Response:
    detail = f"the request has more than {limits.body_bytes:,} bytes: check the article in parts"
    return _last(problem(ContentTooLarge.type, ContentTooLarge.status, detail))


def _body_too_slow(limits: Limits) -> Response:
    detail = (
        f"the request's body took more than {limits.body_seconds:g} seconds: send it again over a better connection"
    )
    return _last(problem("request-timeout", 408, detail))


def _too_slow(limits: Limits) -> Response:
    detail = f"there was no answer within {limits.answer_seconds:g} seconds: try again in a moment"
    return problem("answer-timeout", 503, detail, retry_after=RETRY_AFTER_SECONDS)


def _last(answer: Response) -> Response:
    """Closes the connection, so that what is still on its way isn't read."""
    answer.headers["Connection"] = "close"
    return answer
