"""`api-rss` and `worker-rss`: resident memory of the two processes of the service after work."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from tests.bench.article import thousand_words
from tests.bench.installation import installation
from tests.bench.measure import Measurement, benchmark

REQUESTS, JOBS = 1000, 100
API_LIMIT_MB, WORKER_LIMIT_MB = 130.0, 400.0
JOBS_SECONDS = 300.0


@benchmark("rss")
def resident_memory() -> Iterator[Measurement]:
    """Both are measured in one run of the service; memory of child processes is counted in."""
    with tempfile.TemporaryDirectory() as folder, installation(Path(folder), {}) as running:
        with running.client() as client:
            jobs = [_submit(client, number) for number in range(JOBS)]
            _wait(client, jobs)
            links = [job["links"]["status"] for job in jobs]
            for number in range(REQUESTS - JOBS):
                client.get(links[number % len(links)]).raise_for_status()
        api, worker = (_resident_mb(running.process(name)) for name in ("api", "worker"))
    yield Measurement(
        "api-rss", api, "MB", f"< {API_LIMIT_MB:g} MB", api < API_LIMIT_MB, note=f"after {REQUESTS} requests"
    )
    note = f"after {JOBS} jobs, with full mlflow"
    yield Measurement("worker-rss", worker, "MB", f"< {WORKER_LIMIT_MB:g} MB", worker < WORKER_LIMIT_MB, note=note)


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
