"""Traces of production jobs in MLflow: one a job, found by the job's id, without a word of the article.

They are written through MLflow's client and not by its tracing API, which exports in the background, throws away what
it can't send, and sends everything to an OpenTelemetry collector instead where the environment names one.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from mlflow.entities import Span, SpanType, TraceInfo, TraceLocation, TraceState
from mlflow.tracing.client import TracingClient
from mlflow.tracing.constant import SpanAttributeKey, TraceMetadataKey, TraceTagKey

from agent.check import Verdict
from agent.report import ComplianceReport, GuidelineOutcome
from registry.connection import Registry
from registry.runs import STATUS, VERSION, ProductionRun

TRACE_NAME = "check"


@dataclass(frozen=True, slots=True)
class CheckSpan:
    """One guideline's part of a trace."""

    guideline: str
    seconds: float
    failed: bool
    attributes: dict[str, object]


@dataclass(frozen=True, slots=True)
class JobTrace:
    """A job as MLflow shows its course. Where its checks lie in it isn't kept, so each begins with the job."""

    job_id: str
    experiment_id: str
    started: datetime
    finished: datetime
    run_id: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    checks: tuple[CheckSpan, ...] = ()
    failed: bool = False


def find_trace(registry: Registry, job_id: str) -> str | None:
    """The id of a job's trace, in any month's experiment."""
    prefix = registry.settings.production_experiment
    with registry.answering():
        found = registry.client.search_experiments(filter_string=f"name LIKE '{prefix}-%'")
        locations = [experiment.experiment_id for experiment in found]
        if not locations:
            return None
        query = f"client_request_id = '{job_id}'"
        traces = registry.client.search_traces(
            locations=locations, filter_string=query, max_results=1, include_spans=False
        )
    return str(traces[0].info.trace_id) if traces else None


def begin_trace(registry: Registry, trace: JobTrace) -> str:
    """Finds a job's trace, or makes it; returns its id.

    The id follows from the job's, so that whoever makes it once more writes the same one.
    """
    if found := find_trace(registry, trace.job_id):
        return found
    client, id = TracingClient(registry.uri), _trace_id(trace.job_id)
    with registry.answering():
        client.log_spans(trace.experiment_id, _spans(trace, id))
        client.start_trace(_info(trace, id))  # last: with it the trace is found by its job
    return id


def log_job_trace(registry: Registry, run_id: str, record: ProductionRun) -> str:
    """The trace of a job that has a report: a span for the job and one for each guideline's check."""
    if record.report is None:
        raise ValueError(f"job {record.job_id} has no report, so there is nothing to trace")
    with registry.answering():
        experiment = registry.client.get_run(run_id).info.experiment_id
    return begin_trace(registry, trace_of(record, record.report, experiment_id=experiment, run_id=run_id))


def trace_of(record: ProductionRun, report: ComplianceReport, *, experiment_id: str, run_id: str) -> JobTrace:
    return JobTrace(
        job_id=record.job_id,
        experiment_id=experiment_id,
        run_id=run_id,
        started=record.started or record.submitted,
        finished=record.finished,
        tags=((STATUS, record.status), (VERSION, record.version)),
        checks=tuple(_check(outcome) for outcome in report.outcomes),
        failed=record.status == "failed",
    )


def _check(outcome: GuidelineOutcome) -> CheckSpan:
    usage = outcome.usage
    attributes: dict[str, object] = {
        "verdict": outcome.verdict.value,
        "method": outcome.method.value if outcome.method else None,
        "findings": outcome.findings,
        "kept_verdicts": outcome.kept,
        "model_calls": usage.calls,
    }
    if usage.calls:
        attributes[SpanAttributeKey.CHAT_USAGE] = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
        if usage.answered_by:
            attributes[SpanAttributeKey.MODEL] = usage.answered_by[0].model
    return CheckSpan(outcome.guideline, outcome.seconds, outcome.verdict is Verdict.FAILED, attributes)


def _spans(trace: JobTrace, id: str) -> list[Span]:
    begin, end = _nanoseconds(trace.started), _nanoseconds(trace.finished)
    root = _span_id(trace.job_id, "")
    spans = [_span(id, root, None, "job", begin, end, trace.failed, {SpanAttributeKey.SPAN_TYPE: SpanType.AGENT})]
    for check in trace.checks:
        kind = SpanType.LLM if SpanAttributeKey.CHAT_USAGE in check.attributes else SpanType.EVALUATOR
        attributes = {SpanAttributeKey.SPAN_TYPE: kind, **check.attributes}
        until = begin + round(check.seconds * 1e9)
        own = _span_id(trace.job_id, check.guideline)
        spans.append(_span(id, own, root, f"check {check.guideline}", begin, until, check.failed, attributes))
    return spans


def _span(
    trace_id: str,
    id: bytes,
    parent: bytes | None,
    name: str,
    begin: int,
    end: int,
    failed: bool,
    attributes: dict[str, object],
) -> Span:
    values = {SpanAttributeKey.REQUEST_ID: trace_id, **attributes}
    return Span.from_dict(
        {
            "trace_id": _base64(bytes.fromhex(trace_id.removeprefix("tr-"))),
            "span_id": _base64(id),
            "parent_span_id": _base64(parent) if parent else None,
            "name": name,
            "start_time_unix_nano": begin,
            "end_time_unix_nano": end,
            "events": [],
            "status": {"code": "STATUS_CODE_ERROR" if failed else "STATUS_CODE_OK", "message": ""},
            "attributes": {name: json.dumps(value) for name, value in values.items() if value is not None},
        }
    )


def _info(trace: JobTrace, id: str) -> TraceInfo:
    duration = trace.finished - trace.started
    return TraceInfo(
        trace_id=id,
        trace_location=TraceLocation.from_experiment_id(trace.experiment_id),
        request_time=_nanoseconds(trace.started) // 1_000_000,
        state=TraceState.ERROR if trace.failed else TraceState.OK,
        client_request_id=trace.job_id,
        execution_duration=round(duration.total_seconds() * 1000),
        trace_metadata={TraceMetadataKey.SOURCE_RUN: trace.run_id} if trace.run_id else {},
        tags={TraceTagKey.TRACE_NAME: TRACE_NAME, **dict(trace.tags)},
    )


def _trace_id(job_id: str) -> str:
    return f"tr-{hashlib.sha256(f'trace:{job_id}'.encode()).hexdigest()[:32]}"


def _span_id(job_id: str, guideline: str) -> bytes:
    return hashlib.sha256(f"span:{job_id}:{guideline}".encode()).digest()[:8]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000
