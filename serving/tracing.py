"""Traces from the API over the queue to the worker, by hand-made spans, to OTLP and to Azure Monitor.

Without an exporter OpenTelemetry's SDK isn't loaded, and a span costs nothing. No attribute holds a text or says who.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import CopydeskError
from serving.about import about, regarding, within

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OtelSpan

EXPORT_SECONDS = 5.0  # of one request to the collector
TELLTALE = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
Attributes = Mapping[str, str | int | float]


class TracingUnusable(CopydeskError):
    """Traces are asked for and can't be exported."""

    type = "tracing-unusable"


class TracingSettings(BaseSettings):
    """Where traces go. The collector's other settings have OpenTelemetry's own names, OTEL_EXPORTER_OTLP_..."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_", populate_by_name=True)

    otlp_endpoint: str = Field(default="", validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_ENDPOINT"))
    azure_connection_string: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("APPLICATIONINSIGHTS_CONNECTION_STRING")
    )
    trace_rate: float = Field(default=0.05, ge=0, le=1)  # part of the requests; who sends a traceparent has decided

    @property
    def wanted(self) -> bool:
        return bool(self.otlp_endpoint or self.azure_connection_string.get_secret_value())


class Kind(Enum):
    """What a span stands for (OpenTelemetry's span kinds)."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    PRODUCER = 3
    CONSUMER = 4


class Span(Protocol):
    @property
    def trace_parent(self) -> str:
        """Of its children, in this process or another; empty where nothing is recorded."""

    def note(self, attributes: Attributes) -> None: ...

    def rename(self, name: str) -> None: ...

    def failed(self, reason: str) -> None: ...

    def end(self, at: float | None = None) -> None:
        """`at`: seconds since the epoch; now without it."""


class Traces(Protocol):
    def begin(self, name: str, kind: Kind = Kind.INTERNAL, *, parent: str = "", at: float | None = None) -> Span:
        """A span, to be ended by the caller; without `parent`, a `traceparent`, it begins a trace."""

    def close(self) -> None:
        """Sends what isn't sent yet; blocks for some seconds where nobody answers."""


@contextmanager
def span(traces: Traces, name: str, kind: Kind = Kind.INTERNAL, *, parent: str | None = None) -> Iterator[Span]:
    """A span for the block, of which what happens inside is a part; `parent`: of the present one without it."""
    begun = traces.begin(name, kind, parent=about().trace_parent if parent is None else parent)
    try:
        with regarding(within(begun.trace_parent or parent or about().trace_parent)):
            yield begun
    except Exception as error:
        begun.failed(type(error).__name__)  # its text may quote the article
        raise
    finally:
        begun.end()


class Unrecorded:
    """A span that is none."""

    trace_parent = ""

    def note(self, attributes: Attributes) -> None: ...

    def rename(self, name: str) -> None: ...

    def failed(self, reason: str) -> None: ...

    def end(self, at: float | None = None) -> None: ...


class NoTraces:
    """Nothing is recorded."""

    def begin(self, name: str, kind: Kind = Kind.INTERNAL, *, parent: str = "", at: float | None = None) -> Span:
        return UNRECORDED

    def close(self) -> None: ...


UNRECORDED = Unrecorded()
NO_TRACES: Traces = NoTraces()


def open_traces(settings: TracingSettings, service: str) -> Traces:
    """Raises TracingUnusable without the packages of the extra `azure`, and for a bad connection string."""
    if not settings.wanted:
        return NO_TRACES
    try:
        return RecordedTraces(_provider(settings, service))
    except ImportError as error:
        raise TracingUnusable(
            "OTEL_EXPORTER_OTLP_ENDPOINT or APPLICATIONINSIGHTS_CONNECTION_STRING is set and the package for it is "
            "missing: pip install copydesk[azure], or unset it"
        ) from error
    except ValueError as error:
        raise TracingUnusable(
            "APPLICATIONINSIGHTS_CONNECTION_STRING is none: copy it from the Application Insights resource, it begins "
            "with InstrumentationKey="
        ) from error


def _provider(settings: TracingSettings, service: str) -> "TracerProvider":
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    named = {"service.name": f"copydesk-{service}", "service.version": version("copydesk")}
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.trace_rate)),
        resource=Resource.create(named),
        shutdown_on_exit=False,  # `close` does it, within the time there is to stop
    )
    for exporter in _exporters(settings):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporters(settings: TracingSettings) -> "Iterator[SpanExporter]":
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        endpoint = f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
        yield OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS)
    if connection := settings.azure_connection_string.get_secret_value():
        # The exporter would tell its maker how it is used, and ask there for its configuration.
        for name in TELLTALE:
            os.environ.setdefault(name, "true")
        from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

        yield AzureMonitorTraceExporter(
            connection_string=connection, disable_offline_storage=True, timeout=EXPORT_SECONDS
        )


class RecordedTraces:
    """Spans of OpenTelemetry's SDK; the sampler decides which are kept."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace import SpanKind

        self._provider = provider
        self._tracer = provider.get_tracer("copydesk")
        self._kinds = {kind: SpanKind(kind.value) for kind in Kind}

    def begin(self, name: str, kind: Kind = Kind.INTERNAL, *, parent: str = "", at: float | None = None) -> Span:
        begun = self._tracer.start_span(
            name, context=_context(parent), kind=self._kinds[kind], start_time=_nanoseconds(at)
        )
        return RecordedSpan(begun)

    def close(self) -> None:
        self._provider.shutdown()


@dataclass(frozen=True, slots=True)
class RecordedSpan:
    span: "OtelSpan"

    @property
    def trace_parent(self) -> str:
        context = self.span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def note(self, attributes: Attributes) -> None:
        self.span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self.span.update_name(name)

    def failed(self, reason: str) -> None:
        from opentelemetry.trace import StatusCode

        self.span.set_status(StatusCode.ERROR, reason)

    def end(self, at: float | None = None) -> None:
        self.span.end(_nanoseconds(at))


def _context(parent: str) -> "Context":
    """An empty one without a parent: never that of whatever else traces in this process."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    if not parent:
        return Context()
    _, trace_id, span_id, flags = parent.split("-")
    remote = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(remote), Context())


def _nanoseconds(at: float | None) -> int:
    return time.time_ns() if at is None else round(at * 1e9)
