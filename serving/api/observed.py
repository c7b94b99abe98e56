"""What every request is measured, traced and logged by."""

import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.about import About, begin, new_trace_parent, sound_trace_parent
from serving.metrics import NO_ROUTE, ApiMetrics
from serving.tracing import UNRECORDED, Kind, Span, Traces

REQUEST_ID = "X-Request-Id"
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})  # asked by machines, every few seconds
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Observed:
    """Pure ASGI, the outermost. A request is measured until its answer begins: an event stream stays open for minutes.

    A sane `X-Request-Id` of the client is kept, else the request gets one, which is the id of its trace; the answer
    names it.
    """

    def __init__(self, app: ASGIApp, metrics: ApiMetrics, traces: Traces) -> None:
        self._app = app
        self._metrics = metrics
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        parent = sound_trace_parent(headers.get(b"traceparent", b"").decode("latin-1"))
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        span = UNRECORDED if scope["path"] in PROBES else self._traces.begin(method, Kind.SERVER, parent=parent)
        trace_parent = span.trace_parent or parent or new_trace_parent()
        request_id = sane(headers.get(b"x-request-id", b"").decode("latin-1")) or trace_parent[3:35]
        begin(About(request_id, trace_parent))
        header = (b"x-request-id", request_id.encode())
        answered = False

        async def tell(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                message["headers"] = [*message.get("headers", ()), header]
                self._answered(scope, span, method, message["status"], time.perf_counter() - started)
            await send(message)

        try:
            await self._app(scope, receive, tell)
        except Exception as error:
            if not answered:  # the handler of last resort is outside, and answers 500
                self._answered(scope, span, method, 500, time.perf_counter() - started)
            span.failed(type(error).__name__)
            raise
        finally:
            span.end()

    def _answered(self, scope: Scope, span: Span, method: str, status: int, seconds: float) -> None:
        route = scope.get("route")
        template = NO_ROUTE if route is None else route.path
        self._metrics.answered(template, method, status, seconds)
        if span is not UNRECORDED:
            span.rename(f"{method} {template}")
            span.note({"http.request.method": method, "http.route": template, "http.response.status_code": status})
            if status >= 500:
                span.failed(str(status))


def sane(given: str) -> str:
    """A client's id as it is; nothing where it might break a log line or is endless."""
    return given if _SANE.fullmatch(given) else ""
