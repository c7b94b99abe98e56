"""Production runs in MLflow. Imported by workers only."""

import asyncio

from registry.connection import Registry
from registry.runs import ProductionRun, begin_production_run, complete_production_run
from registry.traces import log_job_trace
from serving.ports.log import LogEntry
from serving.usecases.execute import is_sampled


class MlflowRunLog:
    """MLflow's calls block, so they run in a thread."""

    def __init__(self, registry: Registry, *, trace_rate: float = 0.0) -> None:
        """`trace_rate`: part of the jobs that also get a trace of their checks, 0-1."""
        self._registry = registry
        self._trace_rate = trace_rate

    async def begin(self, entry: LogEntry) -> str:
        return await asyncio.to_thread(begin_production_run, self._registry, _record(entry))

    async def complete(self, entry: LogEntry, run_id: str) -> None:
        record = _record(entry)
        await asyncio.to_thread(complete_production_run, self._registry, run_id, record)
        if record.report is not None and is_sampled(record.job_id, self._trace_rate):
            await asyncio.to_thread(log_job_trace, self._registry, run_id, record)


def _record(entry: LogEntry) -> ProductionRun:
    job = entry.job
    if job.finished is None:
        raise ValueError(f"job {job.id} has not ended, so there is nothing to log")
    return ProductionRun(
        job_id=job.id,
        document_id=job.request.document_id,
        title=job.request.title,
        channel=job.request.channel,
        version=job.version,
        code_digest=job.code_digest,
        status=job.status.value,
        reason=job.reason,
        attempts=job.attempt,
        report=entry.report,
        submitted=job.submitted,
        started=job.started,
        finished=job.finished,
        recording=entry.recording,
    )
