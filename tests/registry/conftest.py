"""An embedded MLflow and a real server; most tests run on both."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from tests.signing import key_file

SERVER_START_SECONDS = 90.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_answers(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"{process.args!r} ended: {log.read_text()[-2000:]}")
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    pytest.fail(f"{url} did not answer: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded MLflow's file with nothing in it: making one takes a second."""
    home = tmp_path_factory.mktemp("fresh")
    connect(RegistrySettings(home=home))
    return home / "mlflow.db"


@pytest.fixture
def embedded(tmp_path: Path, fresh_database: Path) -> Registry:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(fresh_database, home / "mlflow.db")
    return connect(RegistrySettings(home=home))


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with SQLite that hands out its artifacts itself."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    arguments = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts"]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *arguments, *stores],
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    uri = f"http://127.0.0.1:{port}"
    try:
        wait_until_answers(f"{uri}/health", process, log, SERVER_START_SECONDS)
        yield uri
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def server(tmp_path: Path, server_uri: str) -> Registry:
    """The server without any version or prompt."""
    signing_key = tmp_path / "signing-key.pem"
    key_file(signing_key)
    registry = connect(
        RegistrySettings(home=tmp_path / "home", mlflow_tracking_uri=server_uri, signing_key=str(signing_key))
    )
    for name in {model.name for model in registry.client.search_registered_models()}:
        registry.client.delete_registered_model(name)
    for prompt in registry.client.search_prompts():
        registry.client.delete_prompt(prompt.name)
    return registry


@pytest.fixture(params=["embedded", "server"])
def registry(request: pytest.FixtureRequest) -> Registry:
    found: Registry = request.getfixturevalue(request.param)
    return found
