"""Production runs in MLflow. Imported by workers only."""

import asyncio

from registry.connection import Registry
from registry.runs import ProductionRun, begin_production_run, complete_production_run
from serving.ports import LogEntry


class MlflowRunLog:
    """MLflow's calls block, so they run in a thread."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def begin(self, entry: LogEntry) -> str:
        return await asyncio.to_thread(begin_production_run, self._registry, _record(entry))

    async def complete(self, entry: LogEntry, run_id: str) -> None:
        await asyncio.to_thread(complete_production_run, self._registry, run_id, _record(entry))


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
