"""Decisions in MLflow: whatever was told before, it says what it was told last."""

import pytest
from mlflow.entities import Feedback, TraceInfo
from mlflow.tracing.client import TracingClient

from registry.connection import Registry
from registry.feedback import SOURCE, DecidedFinding, JobFeedback, tell_feedback
from registry.traces import JobTrace, begin_trace
from tests.registry.logged import log_production_run
from tests.registry.test_runs import record

FIRST = DecidedFinding(fingerprint="f1", guideline="plain-words", accepted=True, state="accepted", entry=1)
SECOND = DecidedFinding(
    fingerprint="f2", guideline="attribution", accepted=False, state="dismissed", reason="quotation", entry=2
)


def decided(registry: Registry, job: str, *findings: DecidedFinding, latest: int = 2) -> JobFeedback:
    whole = record(job)
    return JobFeedback(
        job_id=job,
        run_id=log_production_run(registry, whole),
        started=whole.started or whole.submitted,
        finished=whole.finished,
        findings=findings,
        guidelines=("attribution", "plain-words"),
        latest=latest,
    )


def traces(registry: Registry, feedback: JobFeedback) -> list[TraceInfo]:
    experiment = registry.client.get_run(feedback.run_id).info.experiment_id
    query = f"client_request_id = '{feedback.job_id}'"
    return [
        trace.info
        for trace in registry.client.search_traces(locations=[experiment], filter_string=query, include_spans=False)
    ]


def assessments(registry: Registry, feedback: JobFeedback) -> dict[str, object]:
    (trace,) = traces(registry, feedback)
    found = [each for each in trace.assessments if isinstance(each, Feedback)]
    assert len({each.name for each in found}) == len(found)
    return {each.name: (each.value, each.metadata) for each in found}


def metrics(registry: Registry, feedback: JobFeedback) -> dict[str, float]:
    found = registry.client.get_run(feedback.run_id).data.metrics
    return {name: value for name, value in found.items() if name.startswith("feedback_") and value}


@pytest.mark.parametrize("times", [1, 3])
def test_a_run_and_its_trace_say_what_was_decided(registry: Registry, times: int) -> None:
    feedback = decided(registry, f"said-{times}", FIRST, SECOND)
    for _ in range(times):
        tell_feedback(registry, feedback)
    assert metrics(registry, feedback) == {
        "feedback_accepted": 1,
        "feedback_accepted/plain-words": 1,
        "feedback_dismissed": 1,
        "feedback_dismissed/attribution": 1,
    }
    none = {"state": "accepted", "reason": "", "entry": "1", "guideline": "plain-words"}
    quoted = {"state": "dismissed", "reason": "quotation", "entry": "2", "guideline": "attribution"}
    assert assessments(registry, feedback) == {
        "accepted/plain-words/f1": (True, none),
        "accepted/attribution/f2": (False, quoted),
    }
    (trace,) = traces(registry, feedback)
    assert trace.trace_metadata["mlflow.sourceRun"] == feedback.run_id
    shown = registry.client.get_trace(trace.trace_id, display=False)  # MLflow's page asks for its spans
    assert [span.name for span in shown.data.spans] == ["job"]
    assert len(registry.client.get_metric_history(feedback.run_id, "feedback_accepted")) == 1


def test_a_changed_mind_changes_what_was_told(registry: Registry) -> None:
    first = decided(registry, "changed", FIRST, SECOND)
    tell_feedback(registry, first)
    dismissed = FIRST.model_copy(update={"accepted": False, "state": "dismissed", "reason": "other", "entry": 3})
    changed = first.model_copy(update={"findings": (dismissed,), "latest": 4})
    tell_feedback(registry, changed)
    assert metrics(registry, changed) == {"feedback_dismissed": 1, "feedback_dismissed/plain-words": 1}
    assert assessments(registry, changed) == {"accepted/plain-words/f1": (False, dismissed.metadata)}


def test_what_was_all_taken_back_leaves_no_count_and_no_assessment(registry: Registry) -> None:
    feedback = decided(registry, "undone", FIRST)
    tell_feedback(registry, feedback)
    undone = feedback.model_copy(update={"findings": (), "latest": 5})
    tell_feedback(registry, undone)
    assert (metrics(registry, undone), assessments(registry, undone)) == ({}, {})


def test_nothing_decided_makes_no_trace(registry: Registry) -> None:
    feedback = decided(registry, "nothing")
    tell_feedback(registry, feedback)
    assert traces(registry, feedback) == []


def test_counts_that_are_told_late_do_not_stand_before_later_ones(registry: Registry) -> None:
    early = decided(registry, "late", FIRST, SECOND, latest=2)
    tell_feedback(registry, early.model_copy(update={"findings": (), "latest": 7}))
    tell_feedback(registry, early)
    assert metrics(registry, early) == {}


def test_a_trace_of_the_check_takes_the_decisions_and_a_second_of_one_name_goes(registry: Registry) -> None:
    feedback = decided(registry, "traced", FIRST)
    made = of_check(registry, feedback)
    twice = [Feedback(name=FIRST.assessment, value=False, source=SOURCE) for _ in range(2)]
    for assessment in (*twice, Feedback(name="helpful", value=True, source=SOURCE)):
        TracingClient(registry.uri).log_assessment(made, assessment)
    tell_feedback(registry, feedback)
    assert [trace.trace_id for trace in traces(registry, feedback)] == [made]
    found = assessments(registry, feedback)
    assert (found[FIRST.assessment], set(found)) == ((True, FIRST.metadata), {FIRST.assessment, "helpful"})


def test_a_check_that_is_traced_after_its_decisions_makes_no_second_trace(registry: Registry) -> None:
    feedback = decided(registry, "later", FIRST)
    tell_feedback(registry, feedback)
    before = traces(registry, feedback)
    assert of_check(registry, feedback) == before[0].trace_id
    assert [trace.assessments for trace in traces(registry, feedback)] == [before[0].assessments]


def of_check(registry: Registry, feedback: JobFeedback) -> str:
    """A trace as tracing a check makes it; its id."""
    experiment = registry.client.get_run(feedback.run_id).info.experiment_id
    trace = JobTrace(
        job_id=feedback.job_id, experiment_id=experiment, started=feedback.started, finished=feedback.finished
    )
    return begin_trace(registry, trace)
