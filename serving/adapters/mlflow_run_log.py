"""Production runs in MLflow. Imported by workers only."""

import asyncio

from registry.connection import Registry
from registry.runs import ProductionRun, log_production_run
from serving.ports import LogEntry


class MlflowRunLog:
    """MLflow's calls block, so they run in a thread."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def log(self, entry: LogEntry) -> str:
        job = entry.job
        if job.started is None or job.finished is None:
            raise ValueError(f"job {job.id} has not finished, so there is nothing to log")
        record = ProductionRun(
            job_id=job.id,
            document_id=job.request.document_id,
            channel=job.request.channel,
            report=entry.report,
            submitted=job.submitted,
            started=job.started,
            finished=job.finished,
            recording=entry.recording,
        )
        return await asyncio.to_thread(log_production_run, self._registry, record)
