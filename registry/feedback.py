"""What editors say of findings, in MLflow: counts in a job's run, and an assessment per finding on a trace.

Both are made to say what they are told, so telling it twice changes nothing. No text of an article or a person's name
is among it.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping

from mlflow.entities import AssessmentSource, Feedback, Metric, Run, Span, TraceInfo, TraceLocation, TraceState
from mlflow.tracing.client import TracingClient
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from registry.connection import Registry
from registry.runs import METRICS_PER_CALL

ACCEPTED = "feedback_accepted"
DISMISSED = "feedback_dismissed"
ASSESSMENT = "accepted/"  # + guideline id / fingerprint: true, or false where the finding was dismissed
SOURCE = AssessmentSource(source_type="HUMAN", source_id="editor")
TRACE_NAME = "feedback"
MOST_TRACES = 10  # of one job


class DecidedFinding(BaseModel):
    """What stands on one finding."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    guideline: str
    accepted: bool
    state: str  # accepted, dismissed, dismissed-pending or dismissed-declined
    reason: str = ""  # of a dismissal
    entry: int  # number of the decision

    @property
    def assessment(self) -> str:
        return f"{ASSESSMENT}{self.guideline}/{self.fingerprint}"

    @property
    def metadata(self) -> dict[str, str]:
        """Updates are merged into what is there, so every name is always given."""
        return {"state": self.state, "reason": self.reason, "entry": str(self.entry), "guideline": self.guideline}


class JobFeedback(BaseModel):
    """The decisions that stand with one job's report."""

    model_config = ConfigDict(frozen=True)

    job_id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=250)
    run_id: str
    started: AwareDatetime
    finished: AwareDatetime
    findings: tuple[DecidedFinding, ...]
    guidelines: tuple[str, ...]  # all that were ever decided on, also where nothing stands any more
    latest: int  # number of the last decision that is reckoned with


def tell_feedback(registry: Registry, feedback: JobFeedback) -> None:
    """Makes MLflow say the same; raises RegistryError. Only one process may do so for a job at a time."""
    with registry.answering():
        run = registry.client.get_run(feedback.run_id)
        _count(registry, run, feedback)
        _assess(registry, run.info.experiment_id, feedback)


def counts(feedback: JobFeedback) -> dict[str, int]:
    """Metrics of the run: in all, and by guideline."""
    found = dict.fromkeys((ACCEPTED, DISMISSED), 0)
    for guideline in feedback.guidelines:
        found |= {f"{ACCEPTED}/{guideline}": 0, f"{DISMISSED}/{guideline}": 0}
    for finding in feedback.findings:
        name = ACCEPTED if finding.accepted else DISMISSED
        found[name] += 1
        found[f"{name}/{finding.guideline}"] += 1
    return found


def _count(registry: Registry, run: Run, feedback: JobFeedback) -> None:
    at = _nanoseconds(feedback.finished) // 1_000_000
    # The decision's number as the step: what is told late doesn't stand before what was told of later ones.
    points = [
        Metric(name, float(value), at, feedback.latest)
        for name, value in counts(feedback).items()
        if run.data.metrics.get(name) != value
    ]
    for start in range(0, len(points), METRICS_PER_CALL):
        registry.client.log_batch(feedback.run_id, metrics=points[start : start + METRICS_PER_CALL])


def _assess(registry: Registry, experiment: str, feedback: JobFeedback) -> None:
    traces = TracingClient(registry.uri)
    wanted = {finding.assessment: finding for finding in feedback.findings}
    trace = _find_trace(registry, experiment, feedback.job_id)
    if trace is None:
        if not wanted:
            return
        trace = _make_trace(traces, experiment, feedback)
    there: dict[str, Feedback] = {}
    for assessment in _ours(trace.assessments):
        if assessment.name not in wanted or assessment.name in there:  # a second of one name would stand beside it
            traces.delete_assessment(trace.trace_id, _id(assessment))
        else:
            there[assessment.name] = assessment
    for name, finding in wanted.items():
        said = Feedback(name=name, value=finding.accepted, source=SOURCE, metadata=finding.metadata)
        if name not in there:
            traces.log_assessment(trace.trace_id, said)
        elif not _says(there[name], finding.accepted, finding.metadata):
            traces.update_assessment(trace.trace_id, _id(there[name]), said)


def _find_trace(registry: Registry, experiment: str, job_id: str) -> TraceInfo | None:
    """The one made here where there is one, else that of the check, if it was traced."""
    found = registry.client.search_traces(
        locations=[experiment],
        filter_string=f"client_request_id = '{job_id}'",
        max_results=MOST_TRACES,
        include_spans=False,
    )
    traces = {trace.info.trace_id: trace.info for trace in found}
    return traces.get(_trace_id(job_id)) or next(iter(traces.values()), None)


def _make_trace(traces: TracingClient, experiment: str, feedback: JobFeedback) -> TraceInfo:
    """The least that MLflow shows: one span without contents. Its id is the job's, so that none is made twice."""
    id = _trace_id(feedback.job_id)
    began, ended = _nanoseconds(feedback.started), _nanoseconds(feedback.finished)
    trace = traces.start_trace(
        TraceInfo(
            trace_id=id,
            trace_location=TraceLocation.from_experiment_id(experiment),
            request_time=began // 1_000_000,
            execution_duration=(ended - began) // 1_000_000,
            state=TraceState.OK,
            client_request_id=feedback.job_id,
            trace_metadata={"mlflow.sourceRun": feedback.run_id},
            tags={"mlflow.traceName": TRACE_NAME},
        )
    )
    number = bytes.fromhex(id.removeprefix("tr-"))
    span: dict[str, object] = {
        "trace_id": base64.b64encode(number).decode(),
        "span_id": base64.b64encode(number[:8]).decode(),
        "parent_span_id": None,
        "name": TRACE_NAME,
        "start_time_unix_nano": began,
        "end_time_unix_nano": ended,
        "attributes": {"mlflow.traceRequestId": f'"{id}"'},
        "status": {"code": "OK", "message": ""},
        "events": [],
    }
    traces.log_spans(experiment, [Span.from_dict(span)])  # MLflow shows and finds no trace without one
    return trace


def _trace_id(job_id: str) -> str:
    return f"tr-{hashlib.sha256(job_id.encode()).hexdigest()[:32]}"


def _ours(assessments: Iterable[object]) -> list[Feedback]:
    return [each for each in assessments if isinstance(each, Feedback) and each.name.startswith(ASSESSMENT)]


def _says(assessment: Feedback, accepted: bool, metadata: Mapping[str, str]) -> bool:
    found = assessment.metadata or {}
    return assessment.value == accepted and {name: found.get(name) for name in metadata} == metadata


def _id(assessment: Feedback) -> str:
    return str(assessment.assessment_id)


def _nanoseconds(moment: AwareDatetime) -> int:
    return round(moment.timestamp() * 1000) * 1_000_000
