"""An attempt at a job as a trace shows it: a span for the job, and one for each guideline's check."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.check import Verdict
from agent.report import ComplianceReport, GuidelineOutcome
from serving.about import About, regarding
from serving.job import Job
from serving.tracing import Kind, Span, Traces

Epoch = Callable[[], float]  # seconds since the epoch


@dataclass
class TracedAttempt:
    """The checks' spans are made when their report is there, because only it says what they came to."""

    traces: Traces
    span: Span
    epoch: Epoch
    ended: dict[str, float] = field(default_factory=dict)

    def checked(self, guideline: str) -> None:
        self.ended[guideline] = self.epoch()

    def reported(self, report: ComplianceReport) -> None:
        self.span.note({"copydesk.status": report.status.value, "copydesk.findings": len(report.findings)})
        if not self.span.trace_parent:
            return
        for outcome in report.outcomes:
            end = self.ended.get(outcome.guideline, self.epoch())
            check = self.traces.begin(
                f"check {outcome.guideline}", parent=self.span.trace_parent, at=end - outcome.seconds
            )
            check.note(attributes_of(outcome))
            if outcome.verdict is Verdict.FAILED:
                check.failed(outcome.verdict.value)
            check.end(end)


def attributes_of(outcome: GuidelineOutcome) -> dict[str, str | int | float]:
    """What is told of a check: nothing that is or quotes a text."""
    usage = outcome.usage
    return {
        "copydesk.guideline": outcome.guideline,
        "copydesk.verdict": outcome.verdict.value,
        "copydesk.method": outcome.method.value if outcome.method else "none",
        "copydesk.findings": outcome.findings,
        "copydesk.kept_verdicts": outcome.kept,
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.response.model": usage.answered_by[0].model if usage.answered_by else "",
    }


@contextmanager
def attempted(traces: Traces, job: Job, epoch: Epoch) -> Iterator[TracedAttempt]:
    """For the block, log lines name the job, and its span belongs to the trace of the request."""
    span = traces.begin("job", Kind.CONSUMER, parent=job.trace_parent)
    span.note({"copydesk.job_id": job.id, "copydesk.attempt": job.attempt, "copydesk.version": job.version})
    present = About(trace_parent=span.trace_parent or job.trace_parent, job_id=job.id, attempt=job.attempt)
    try:
        with regarding(present):
            yield TracedAttempt(traces, span, epoch)
    finally:
        span.end()
