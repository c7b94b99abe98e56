"""A real MLflow server for the tests: SQLite, handing out its artifacts itself."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from registry.pages import PAGES_ENVIRONMENT
from tests.embedded import with_mlflow
from tests.serving.service import answers, free_port

START_SECONDS = 90.0


@contextmanager
def mlflow_server(folder: Path, port: int = 0, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Its URL. What it stored in the folder is there again when it is started on it another time."""
    port = port or free_port()
    database = folder / "server.db"
    if not database.exists():
        (with_mlflow(folder) / "mlflow.db").rename(database)
    arguments = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", f"{folder}/artifacts"]
    log = folder / "mlflow.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *arguments, *stores],
            env={**os.environ, **PAGES_ENVIRONMENT, **environment},
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_answers(f"http://127.0.0.1:{port}/health", process, log, START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_until_answers(url: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"{process.args!r} ended: {log.read_text()[-2000:]}")
        if answers(url):
            return
        time.sleep(0.2)
    pytest.fail(f"{url} did not answer: {log.read_text()[-2000:]}")
