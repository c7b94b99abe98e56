"""Starts the service's processes, waits until each is ready, and stops them all."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from agent.errors import CopydeskError

STOP_SECONDS = 20.0  # more than a worker takes, see COPYDESK_SHUTDOWN_SECONDS
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # our own addresses are behind no proxy
POLL_SECONDS = 0.1


class ProcessEnded(CopydeskError):
    """A process of the service ended by itself."""

    type = "process-ended"


class NotReady(CopydeskError):
    """A process of the service did not become ready in time."""

    type = "not-ready"


@dataclass(frozen=True, slots=True)
class Started:
    """A running process and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Processes:
    """Child processes that stop together. Their output goes to files in `logs`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[Started] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts `python ARGUMENTS` under `name`, in a session of its own so that Ctrl-C reaches only us."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, *arguments],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(Started(name, process, log))

    def wait_for(self, url: str, *, seconds: float) -> None:
        """Waits until `url` answers 200; raises ProcessEnded as soon as one of ours has ended, else NotReady."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            with contextlib.suppress(urllib.error.URLError, OSError), DIRECT.open(url, timeout=2) as answer:
                if answer.status == 200:
                    return
            time.sleep(POLL_SECONDS)
        logs = ", ".join(str(started.log) for started in self._started)
        raise NotReady(f"{url} did not answer within {seconds:.0f} seconds: look into {logs}")

    def check(self) -> None:
        """Raises ProcessEnded when a process has ended, with the last lines it wrote."""
        for started in self._started:
            if (code := started.process.poll()) is not None:
                said = _tail(started.log) or "  nothing"
                raise ProcessEnded(f"{started.name} ended with exit code {code}; {started.log} says:\n{said}")

    def stop(self) -> None:
        """Asks every process to stop, and ends those that don't within STOP_SECONDS."""
        for started in reversed(self._started):
            _signal(started.process, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for started in self._started:
            try:
                started.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(started.process, signal.SIGKILL)
                started.process.wait()
        self._started.clear()

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(f"  {line}" for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
