"""`api-rss` and `worker-rss`: resident memory of the two processes of the service after work."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
from rich.console import Console

from agent.pack_files import default_pack
from pipelines.processes import Processes
from pipelines.serve import ensure_champion, free_port
from registry.connection import connect
from registry.settings import RegistrySettings
from tests.bench.article import thousand_words
from tests.bench.measure import Measurement, benchmark

REQUESTS, JOBS = 1000, 100
API_LIMIT_MB, WORKER_LIMIT_MB = 130.0, 400.0
JOBS_SECONDS = 300.0


@benchmark("rss")
def resident_memory() -> Iterator[Measurement]:
    """Both are measured in one run of the service; memory of child processes is counted in."""
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder) / "logs") as processes:
        port = free_port()
        registry = connect(RegistrySettings(home=Path(folder), mlflow_tracking_uri=""))
        with Path(os.devnull).open("w") as nowhere:
            ensure_champion(registry, default_pack(), Console(file=nowhere), reason="benchmark")
        environment = {"COPYDESK_HOME": folder, "COPYDESK_PORT": str(port), "MLFLOW_TRACKING_URI": ""}
        for name in ("worker", "api"):
            processes.start(name, ["-m", "pipelines", name], environment)
        address = f"http://127.0.0.1:{port}"
        processes.wait_for(f"{address}/readyz", seconds=120)
        with httpx.Client(base_url=address, timeout=30) as client:
            jobs = [_submit(client, number) for number in range(JOBS)]
            _wait(client, jobs)
            links = [job["links"]["status"] for job in jobs]
            for number in range(REQUESTS - JOBS):
                client.get(links[number % len(links)]).raise_for_status()
        api, worker = (_resident_mb(name) for name in ("api", "worker"))
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


def _resident_mb(command: str) -> float:
    """Of our child `python -m pipelines COMMAND` with its children, in MB of 10^6 bytes."""
    wanted = [sys.executable, "-m", "pipelines", command]
    for child in psutil.Process().children():
        if child.cmdline() == wanted:
            family = [child, *child.children(recursive=True)]
            return float(sum(process.memory_info().rss for process in family)) / 1e6
    raise AssertionError(f"there is no child {' '.join(wanted)}")
