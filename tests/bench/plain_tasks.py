"""Tasks of procrastinate alone, each app for a worker of its own; they print when their bodies begin."""

import asyncio
import os
import time

from procrastinate import App, JobContext, PsycopgConnector

URL = "PLAIN_QUEUE_URL"
LEASE_SECONDS = 10.0

connector = PsycopgConnector(conninfo=os.environ.get(URL, ""))  # only a worker has it
as_documented = App(connector=connector)
# What a killed worker held is retried as the documentation says, but by our lease: renewed thrice in it and looked for
# five times. By default procrastinate waits for 30 seconds, and the documented task looks every ten minutes.
as_patient = App(connector=connector, worker_defaults={"update_heartbeat_interval": LEASE_SECONDS / 3})


@as_documented.task(name="empty")
async def empty() -> None:
    _begins()


@as_patient.task(name="held", pass_context=True)
async def held(context: JobContext) -> None:
    """Until its worker is killed; who takes it up after that has nothing to do."""
    _begins()
    if context.job.attempts == 0:
        await asyncio.Event().wait()


@as_patient.periodic(cron="* * * * * */2")
@as_patient.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=LEASE_SECONDS):
        await manager.retry_job(job)


def _begins() -> None:
    print(time.time(), flush=True)
