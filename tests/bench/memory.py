"""`api-rss` and `worker-rss`: resident memory of both processes of the service after work, on PostgreSQL and Redis."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from tests.bench.article import thousand_words
from tests.bench.installation import installation, servers
from tests.bench.measure import Measurement, benchmark

REQUESTS, JOBS = 1000, 100
API_LIMIT_MB, WORKER_LIMIT_MB = 130.0, 400.0
JOBS_SECONDS = 300.0
BARE_API = "import uvicorn, fastapi; app = fastapi.FastAPI()"
LIBRARIES = "import mlflow, langgraph.graph, openai, sqlalchemy.ext.asyncio, psycopg, redis.asyncio, procrastinate"


@benchmark("rss", "api-rss", "worker-rss")
def resident_memory() -> Iterator[Measurement]:
    """Both are measured in one run of the service; memory of child processes is counted in."""
    with (
        tempfile.TemporaryDirectory() as folder,
        servers(Path(folder)) as stand,
        installation(Path(folder), stand.environment) as running,
    ):
        with running.client() as client:
            jobs = [_submit(client, number) for number in range(JOBS)]
            _wait(client, jobs)
            links = [job["links"]["status"] for job in jobs]
            for number in range(REQUESTS - JOBS):
                client.get(links[number % len(links)]).raise_for_status()
        api, worker = (_resident_mb(running.process(name)) for name in ("api", "worker"))
    yield _measurement("api-rss", api, API_LIMIT_MB, "bare FastAPI", BARE_API, f"after {REQUESTS} requests")
    note = f"after {JOBS} jobs, with full mlflow"
    yield _measurement("worker-rss", worker, WORKER_LIMIT_MB, "its libraries alone", LIBRARIES, note)


def _measurement(name: str, found: float, limit: float, baseline: str, code: str, note: str) -> Measurement:
    bare = _bare_mb(code)
    return Measurement(
        name, found, "MB", f"< {limit:g} MB", found < limit, f"{baseline} {bare:.0f} MB", found / bare, note
    )


def _bare_mb(code: str) -> float:
    """Of a process that does nothing but import."""
    command = [sys.executable, "-c", f"{code}\nprint(flush=True)\ninput()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        found = _resident_mb(psutil.Process(process.pid))
        process.kill()
    return found


def _submit(client: httpx.Client, number: int) -> dict[str, dict[str, str]]:
    text = f"{thousand_words().text}\n\nNumber {number}."
    answer = client.post("/api/v1/compliance/check", json={"article": {"text": text}, "document_id": f"bench-{number}"})
    job: dict[str, dict[str, str]] = answer.raise_for_status().json()
    return job


def _wait(client: httpx.Client, jobs: list[dict[str, dict[str, str]]]) -> None:
    until = time.monotonic() + JOBS_SECONDS
    for job in jobs:
        while client.get(job["links"]["status"]).json()["status"] in ("queued", "running"):
            if time.monotonic() > until:
                raise TimeoutError(f"{JOBS} jobs took longer than {JOBS_SECONDS:g} s")
            time.sleep(0.1)


def _resident_mb(process: psutil.Process) -> float:
    """With its children, in MB of 10^6 bytes."""
    family = [process, *process.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in family)) / 1e6
