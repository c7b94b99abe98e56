"""The service as processes: the API and workers on loopback, with a registry of their own."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agent.guideline import GuidelinePack
from agent.spec import AgentSpec, ModelSpec
from registry.aliases import promote
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from registry.signatures import read_signing_key
from registry.versions import register
from tests.embedded import with_mlflow
from tests.serving.build import TEXT
from tests.signing import key_file
from tests.waiting import eventually

# Leases this short also run out where a busy machine stands still, and no job is to be given up for that.
FAST = {"COPYDESK_LEASE_SECONDS": "2", "COPYDESK_MAX_ATTEMPTS": "20", "COPYDESK_CHAMPION_POLL_SECONDS": "0.5"}
TLS = ssl.create_default_context()
ENDED = ("completed", "partial", "failed", "cancelled")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Service:
    """One installation. Processes that still run at the end are killed."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)  # beside the usual
    mlflow: str = ""  # tracking URI; empty: embedded
    port: int = field(default_factory=free_port)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def registry(self) -> Registry:
        return connect(RegistrySettings(home=self.home, mlflow_tracking_uri=self.mlflow, signing_key=self.signing_key))

    @property
    def signing_key(self) -> str:
        """Of whoever promotes; an embedded registry has its own."""
        path = self.home.parent / "signing-key.pem"
        if self.mlflow and not path.exists():
            key_file(path)
        return str(path) if self.mlflow else ""

    def make_champion(self, pack: GuidelinePack, model: ModelSpec | None = None) -> int:
        registry = self.registry
        version = register(registry, AgentSpec(pack=pack, model=model)).version
        promote(registry, version.number, force_reason="a test", who="ada")
        return version.number

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COPYDESK", "MLFLOW"))}
        environment |= {"COPYDESK_HOME": str(self.home), "COPYDESK_PORT": str(self.port), **FAST, **self.environment}
        if self.mlflow:
            public = read_signing_key(Path(self.signing_key)).public()
            environment |= {"MLFLOW_TRACKING_URI": self.mlflow, "COPYDESK_TRUSTED_KEYS": public.line}
        with (self.home.parent / f"{command}{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipelines", "-v", command], env=environment, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    @contextmanager
    def api(self) -> Iterator[httpx.Client]:
        """The API, running, and a client of it."""
        self.start("api")
        url = f"http://127.0.0.1:{self.port}"
        eventually("the API answers", lambda: answers(f"{url}/healthz"))
        with httpx.Client(base_url=url, timeout=10) as client:
            yield client

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """A worker that serves the champion."""
        worker = self.start("worker")
        eventually("it is ready", lambda: answers(f"http://127.0.0.1:{self.port}/readyz"))
        return worker

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()}" for path in sorted(self.home.parent.glob("*.log")))

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(10)


@contextmanager
def service(folder: Path, **fields: Any) -> Iterator[Service]:
    """A service in a folder, with its logs shown when the test fails."""
    running = Service(home=folder / "home", **fields)
    if running.mlflow:
        running.home.mkdir()
    else:
        with_mlflow(running.home)
    try:
        yield running
    except BaseException:
        print(running.logs())  # noqa: T201 - pytest shows it with the failure
        raise
    finally:
        running.stop()


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return asked(url).status_code == 200
    return False


def asked(url: str) -> httpx.Response:
    """Without reading the machine's certificates each time, which takes as long as a process that is waited for."""
    return httpx.get(url, timeout=10, verify=TLS)


def submit(client: httpx.Client, text: str = TEXT) -> str:
    response = client.post("/api/v1/compliance/check", json={"article": {"text": text}})
    assert response.status_code == 202, response.text
    return str(response.json()["job_id"])


def status(client: httpx.Client, id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/jobs/{id}/status").json()
    return found


def ended(client: httpx.Client, id: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        job = status(client, id)
        return job if job["status"] in ENDED else None

    job: dict[str, Any] = eventually(f"job {id} ends", found)
    return job
