"""Connections that don't come to a request: how many there may be, and how long and large a request's head.

uvicorn has no limit on any of them. What is left to a gateway: who opens connections faster than they are closed, and
who reads an answer slowly.
"""

import asyncio
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.api.problems import problem
from serving.api.security_headers import HEADERS

MOST_HEAD_BYTES = 65_536  # of a request's line and headers; tokens have up to 16,000 characters


class Connection(HttpToolsProtocol):
    """One connection; `limited` makes the class that uvicorn takes."""

    most_connections = 5000
    head_seconds = 10.0

    _in_head = False
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self._refuse(503, "too-many-connections", "this process has no room for another connection: try again soon")
        else:
            self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse_head()
                return
        # Bytes that begin no request, and the rest of a body that was answered early, have as long as a head.
        if self._in_head or self.cycle is None or self.cycle.response_complete:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MOST_HEAD_BYTES:
            self._refuse_head()
            raise httptools.HttpParserError  # nothing more of it is parsed
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad-request", "this is not a request of HTTP/1.1: see RFC 9112")

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.flow.read_paused:  # it waits for us
            self._start_timer()
        elif self._in_head:
            detail = f"the request's headers took more than {self.head_seconds:g} seconds: send them at once"
            self._refuse(408, "request-timeout", detail)
        else:
            self.transport.close()

    def _refuse_head(self) -> None:
        detail = f"the request's line and headers have more than {MOST_HEAD_BYTES:,} bytes: send less"
        self._refuse(431, "request-header-fields-too-large", detail)

    def _refuse(self, status: int, type: str, detail: str) -> None:
        """Answers and closes; nothing where the connection is being closed."""
        if self.transport.is_closing():
            return
        answer = problem(type, status, detail)
        headers = [*answer.raw_headers, *HEADERS, (b"connection", b"close")]
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(head + lines + b"\r\n" + bytes(answer.body))
        self.transport.close()


def limited(*, most: int, head_seconds: float) -> type[HttpToolsProtocol]:
    """For `uvicorn.Config(http=...)`."""
    return type("Limited", (Connection,), {"most_connections": most, "head_seconds": head_seconds})
