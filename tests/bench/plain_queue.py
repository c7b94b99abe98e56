"""procrastinate alone on the same PostgreSQL: what hands out our jobs, without what we put around it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from procrastinate import App, SyncPsycopgConnector
from procrastinate.jobs import Status

from tests.bench.plain_tasks import URL
from tests.postgres_server import PostgresServer

LOOK_EVERY_SECONDS = 0.05
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class PlainQueue:
    """A queue in a database of its own."""

    url: str
    app: App

    @contextmanager
    def worker(self, app: str) -> Iterator["subprocess.Popen[str]"]:
        """Works for one of the apps in plain_tasks, in a process of its own."""
        script = f"from tests.bench.plain_tasks import {app} as app; app.run_worker()"
        command, environment = [sys.executable, "-c", script], {**os.environ, URL: self.url}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def defer(self, task: str) -> int:
        return self.app.configure_task(task).defer()

    def wait_for(self, job: int, status: Status) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while (found := self.app.job_manager.get_job_status(job)) != status:
            if time.monotonic() > until:
                raise TimeoutError(f"procrastinate's job {job} is {found.value}, not {status.value}")
            time.sleep(LOOK_EVERY_SECONDS)


@contextmanager
def plain_queue(server: PostgresServer) -> Iterator[PlainQueue]:
    url = server.database()
    with App(connector=SyncPsycopgConnector(conninfo=url)).open() as app:
        app.schema_manager.apply_schema()
        yield PlainQueue(url, app)


def next_start(worker: "subprocess.Popen[str]") -> float:
    """When a task's body began that has ended by now, in seconds since the epoch."""
    assert worker.stdout is not None
    return float(worker.stdout.readline())
