"""The service as processes: on embedded defaults, or as in production on PostgreSQL and Redis."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from rich.console import Console

from agent.pack_files import default_pack
from agent.spec import AgentSpec
from pipelines.processes import Processes
from pipelines.serve import ensure_champion, free_port
from registry.aliases import promote
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from registry.versions import register
from tests.postgres_server import PostgresServer, postgres_server
from tests.redis_server import RedisServer
from tests.signing import key_file

PLENTY = "1000000"  # requests a minute: the limit isn't what is measured
SERVER_CPU = 0  # the load generator has the other one


@dataclass
class Servers:
    """What an installation in production stands on."""

    postgres: PostgresServer
    redis: RedisServer
    environment: dict[str, str]  # which names both


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """PostgreSQL writes to the disk before it says that it has, as in production."""
    with postgres_server(durable=True) as postgres:
        redis = RedisServer(folder)
        redis.start()
        try:
            environment = {"DB_CONNECTION_STRING": postgres.database(), "REDIS_CONNECTION_STRING": redis.url}
            yield Servers(postgres, redis, environment)
        finally:
            redis.stop()


@dataclass
class Installation:
    """Where everything is; `environment` starts more processes of it."""

    home: Path
    address: str
    environment: dict[str, str]
    processes: Processes
    registry: Registry
    client_headers: dict[str, str] = field(default_factory=dict)

    def start_worker(self, number: int = 0) -> None:
        self.processes.start(f"worker{number}", ["-m", "pipelines", "worker"], self.environment)

    def process(self, command: str) -> psutil.Process:
        """Of our children `python -m pipelines COMMAND`, the one that started last."""
        return self.running(command)[-1]

    def running(self, command: str) -> list[psutil.Process]:
        """All of them, in the order they started."""
        wanted = [sys.executable, "-m", "pipelines", command]
        found = [child for child in psutil.Process().children() if child.cmdline() == wanted]
        if not found:
            raise AssertionError(f"there is no child {' '.join(wanted)}")
        return sorted(found, key=lambda child: float(child.create_time()))

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers=self.client_headers, timeout=30)


@contextmanager
def installation(
    folder: Path, environment: dict[str, str], *, workers: int = 1, champion: AgentSpec | None = None
) -> Iterator[Installation]:
    """The API and workers, ready; `champion`: another than the house pack without a model."""
    home = folder / "home"
    home.mkdir()
    environment = {
        "COPYDESK_HOME": str(home),
        "COPYDESK_PORT": str(free_port()),
        "COPYDESK_USER_REQUESTS_PER_MINUTE": PLENTY,
        "MLFLOW_TRACKING_URI": "",
        **environment,
    }
    tracking_uri = environment["MLFLOW_TRACKING_URI"]
    if tracking_uri:
        key = folder / "signing-key.pem"
        environment["COPYDESK_TRUSTED_KEYS"] = key_file(key).line
        environment["COPYDESK_SIGNING_KEY"] = str(key)
    registry = connect(
        RegistrySettings(
            home=home,
            mlflow_tracking_uri=tracking_uri,
            signing_key=environment.get("COPYDESK_SIGNING_KEY", ""),
            trusted_keys=environment.get("COPYDESK_TRUSTED_KEYS", ""),
        )
    )
    _make_champion(registry, champion)
    _migrate(environment)  # also of SQLite: else the process that starts first does, and keeps what that takes
    with Processes(folder / "logs") as processes:
        processes.start("api", ["-m", "pipelines", "api"], environment)
        address = f"http://127.0.0.1:{environment['COPYDESK_PORT']}"
        running = Installation(home, address, environment, processes, registry)
        for number in range(workers):
            running.start_worker(number)
        processes.wait_for(f"{address}/{'readyz' if workers else 'healthz'}", seconds=120)
        yield running


def _make_champion(registry: Registry, spec: AgentSpec | None) -> None:
    if spec is not None:
        promote(registry, register(registry, spec).version.number, force_reason="benchmark", who="bench")
        return
    with Path(os.devnull).open("w") as nowhere:
        ensure_champion(registry, default_pack(), Console(file=nowhere), reason="benchmark")


def _migrate(environment: dict[str, str]) -> None:
    psutil.Popen([sys.executable, "-m", "pipelines", "migrate"], env={**os.environ, **environment}).wait(60)
