"""The service as it runs in production, on one machine: PostgreSQL, Redis, the API and workers as processes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from rich.console import Console

from agent.pack_files import default_pack
from pipelines.processes import Processes
from pipelines.serve import ensure_champion, free_port
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from tests.postgres_server import PostgresServer, postgres_server
from tests.redis_server import redis_server

PLENTY = "1000000"  # requests a minute: the limit isn't what is measured
SERVER_CPU = 0  # the load generator has the other one


@dataclass
class Installation:
    """Where everything is; `environment` starts more processes of it."""

    home: Path
    address: str
    environment: dict[str, str]
    processes: Processes
    postgres: PostgresServer
    registry: Registry

    def start_worker(self, number: int = 0) -> None:
        self.processes.start(f"worker{number}", ["-m", "pipelines", "worker"], self.environment)

    def process(self, command: str) -> psutil.Process:
        """Of our children `python -m pipelines COMMAND`, the one that started last."""
        wanted = [sys.executable, "-m", "pipelines", command]
        found = [child for child in psutil.Process().children() if child.cmdline() == wanted]
        if not found:
            raise AssertionError(f"there is no child {' '.join(wanted)}")
        return max(found, key=lambda child: float(child.create_time()))

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=30)


@contextmanager
def installation(folder: Path, *, workers: int = 1, **settings: str) -> Iterator[Installation]:
    """`settings`: more of the environment."""
    home = folder / "home"
    home.mkdir()
    with (
        postgres_server() as postgres,
        redis_server(folder) as redis,
        Processes(folder / "logs") as processes,
        Path(os.devnull).open("w") as nowhere,
    ):
        registry = connect(RegistrySettings(home=home, mlflow_tracking_uri=""))
        ensure_champion(registry, default_pack(), Console(file=nowhere), reason="benchmark")
        port = free_port()
        environment = {
            "COPYDESK_HOME": str(home),
            "COPYDESK_PORT": str(port),
            "COPYDESK_USER_REQUESTS_PER_MINUTE": PLENTY,
            "DB_CONNECTION_STRING": postgres.database(),
            "REDIS_CONNECTION_STRING": redis,
            "MLFLOW_TRACKING_URI": "",
            **settings,
        }
        _migrate(environment)
        processes.start("api", ["-m", "pipelines", "api"], environment)
        running = Installation(home, f"http://127.0.0.1:{port}", environment, processes, postgres, registry)
        for number in range(workers):
            running.start_worker(number)
        processes.wait_for(f"{running.address}/{'readyz' if workers else 'healthz'}", seconds=120)
        yield running


def _migrate(environment: dict[str, str]) -> None:
    psutil.Popen([sys.executable, "-m", "pipelines", "migrate"], env={**os.environ, **environment}).wait(60)
