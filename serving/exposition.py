"""Metrics as they are scraped: what stands in the database is read then, and not more often than every few seconds."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import MappingProxyType

from prometheus_client import CONTENT_TYPE_LATEST

from agent.errors import CopydeskError
from serving.access.caller import NotSignedIn
from serving.access.scrapers import must_scrape
from serving.access.settings import AccessSettings
from serving.api.problems import MEDIA_TYPE, problem
from serving.dependencies import ASK_SECONDS, Dependencies
from serving.metrics import ApiMetrics, Metrics
from serving.ports.clocks import Clock, Ticks
from serving.ports.jobs import Backlogs
from serving.together import together

CONTENT_TYPE = CONTENT_TYPE_LATEST
REMEMBERED_SECONDS = 5.0
LONGEST_HEAD = 8192  # bytes of a scrape's request
HEAD_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Exposition:
    """Of the API."""

    def __init__(
        self, metrics: ApiMetrics, backlogs: Backlogs, dependencies: Dependencies, *, clock: Clock, ticks: Ticks
    ) -> None:
        self._metrics, self._backlogs, self._dependencies = metrics, backlogs, dependencies
        self._clock, self._ticks = clock, ticks
        self._reading = asyncio.Lock()
        self._until = 0.0

    async def text(self) -> bytes:
        """Without the queue's figures while the database doesn't answer: `absent()` finds them missing."""
        async with self._reading:
            if self._ticks() >= self._until:
                await together(self._read_backlog(), self._read_dependencies())
                self._until = self._ticks() + REMEMBERED_SECONDS
        return self._metrics.text()

    async def _read_backlog(self) -> None:
        self._metrics.installation.backlog = None
        with contextlib.suppress(CopydeskError, TimeoutError):  # `compliance_dependency_up` says so
            async with asyncio.timeout(ASK_SECONDS):
                self._metrics.installation.backlog = await self._backlogs.read(self._clock())

    async def _read_dependencies(self) -> None:
        for each in await self._dependencies.standing():
            self._metrics.dependency_up.labels(each.name).set(each.up)


@asynccontextmanager
async def exposed(metrics: Metrics, host: str, port: int, access: AccessSettings) -> AsyncIterator[None]:
    """A worker's metrics at `/metrics` on a port of its own, for whom the API's are, and `/healthz`; port 0 for none.

    Where the port is taken, such as by another worker on this machine, the worker works without.
    """
    if not port:
        yield
        return
    try:
        server = await asyncio.start_server(_answering(metrics.text, access), host, port, limit=LONGEST_HEAD)
    except OSError as error:
        logger.warning(
            "port %d on %s can't be used (%s), so this worker's metrics aren't told: give each worker on a machine "
            "its own COPYDESK_WORKER_METRICS_PORT",
            port,
            host,
            error.strerror,
        )
        yield
        return
    async with server:
        yield


def _answering(
    metrics: Callable[[], bytes], access: AccessSettings
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
                async with asyncio.timeout(HEAD_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(_response(head, metrics, access))
                    await writer.drain()
        finally:
            writer.close()

    return answer


def _response(head: bytes, metrics: Callable[[], bytes], access: AccessSettings) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    if method != b"GET":
        return _message("405 Method Not Allowed", "text/plain", b"GET is all there is\n")
    if path == b"/metrics":
        try:
            must_scrape(access.metrics_token.get_secret_value(), _bearer(head), sign_in=access.required)
        except NotSignedIn as error:
            return _refusal(error)
        return _message("200 OK", CONTENT_TYPE, metrics())
    if path == b"/healthz":
        return _message("200 OK", "application/json", b'{"status": "ok"}')
    return _message("404 Not Found", "text/plain", b"/metrics and /healthz are all there is\n")


def _bearer(head: bytes) -> str:
    """The credential of a request; empty: none."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"authorization":
            scheme, _, token = value.strip().partition(b" ")
            return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else ""
    return ""


def _refusal(error: NotSignedIn) -> bytes:
    """The problem document that the API would answer."""
    answer = problem(error.type, error.status, str(error))
    return _message(f"{error.status} {HTTPStatus(error.status).phrase}", MEDIA_TYPE, bytes(answer.body), error.headers)


def _message(status: str, content_type: str, body: bytes, more: Mapping[str, str] = MappingProxyType({})) -> bytes:
    headers = {"Content-Type": content_type, "Content-Length": str(len(body)), "Connection": "close", **more}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body
