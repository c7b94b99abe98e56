"""What editors say of findings, in MLflow: counts in a job's run, and an assessment per finding on a trace.

Both are made to say what they are told, so telling it twice changes nothing. No text of an article or a person's name
is among it.
"""

from collections.abc import Iterable, Mapping

from mlflow.entities import AssessmentSource, Feedback, Metric, Run
from mlflow.tracing.client import TracingClient
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from registry.connection import Registry
from registry.runs import METRICS_PER_CALL
from registry.traces import JobTrace, begin_trace, find_trace

ACCEPTED = "feedback_accepted"
DISMISSED = "feedback_dismissed"
ASSESSMENT = "accepted/"  # + guideline id / fingerprint: true, or false where the finding was dismissed
SOURCE = AssessmentSource(source_type="HUMAN", source_id="editor")


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
    id = _trace(registry, experiment, feedback) if wanted else find_trace(registry, feedback.job_id)
    if id is None:
        return
    there: dict[str, Feedback] = {}
    for assessment in _ours(traces.get_trace_info(id).assessments):
        if assessment.name not in wanted or assessment.name in there:  # a second of one name would stand beside it
            traces.delete_assessment(id, _id(assessment))
        else:
            there[assessment.name] = assessment
    for name, finding in wanted.items():
        said = Feedback(name=name, value=finding.accepted, source=SOURCE, metadata=finding.metadata)
        if name not in there:
            traces.log_assessment(id, said)
        elif not _says(there[name], finding.accepted, finding.metadata):
            traces.update_assessment(id, _id(there[name]), said)


def _trace(registry: Registry, experiment: str, feedback: JobFeedback) -> str:
    """That of the check where it was traced, else the least that MLflow shows: one span without contents."""
    least = JobTrace(
        job_id=feedback.job_id,
        experiment_id=experiment,
        run_id=feedback.run_id,
        started=feedback.started,
        finished=feedback.finished,
    )
    return begin_trace(registry, least)


def _ours(assessments: Iterable[object]) -> list[Feedback]:
    return [each for each in assessments if isinstance(each, Feedback) and each.name.startswith(ASSESSMENT)]


def _says(assessment: Feedback, accepted: bool, metadata: Mapping[str, str]) -> bool:
    found = assessment.metadata or {}
    return assessment.value == accepted and {name: found.get(name) for name in metadata} == metadata


def _id(assessment: Feedback) -> str:
    return str(assessment.assessment_id)


def _nanoseconds(moment: AwareDatetime) -> int:
    return round(moment.timestamp() * 1000) * 1_000_000
