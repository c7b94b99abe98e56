"""A run log whose calls are spans in the trace of the job's request."""

from serving.about import About, regarding
from serving.ports.log import LogEntry, RunLog
from serving.tracing import Kind, Traces, span


class TracedRunLog:
    def __init__(self, runs: RunLog, traces: Traces) -> None:
        self._runs = runs
        self._traces = traces

    async def begin(self, entry: LogEntry) -> str:
        with regarding(_about(entry)), span(self._traces, "begin the run in MLflow", Kind.CLIENT):
            return await self._runs.begin(entry)

    async def complete(self, entry: LogEntry, run_id: str) -> None:
        with regarding(_about(entry)), span(self._traces, "complete the run in MLflow", Kind.CLIENT) as completing:
            completing.note({"copydesk.job_id": entry.job.id, "mlflow.run_id": run_id})
            await self._runs.complete(entry, run_id)


def _about(entry: LogEntry) -> About:
    return About(trace_parent=entry.job.trace_parent, job_id=entry.job.id, attempt=entry.job.attempt)
