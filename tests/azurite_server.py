"""A real blob store for the tests: Azurite, from npm by the lock in tests/serving/azurite.

As a command it installs Azurite, which takes a while the first time, so that no test has to wait for it.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import missing

PACKAGE = Path(__file__).parent / "serving" / "azurite"
LOCK = PACKAGE / "package-lock.json"
ENTRY = PACKAGE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
INSTALLED = PACKAGE / "node_modules" / ".of-lock"  # holds the digest of the lock it was installed by
HOW = "set TEST_AZURITE_CONN, or apt-get install nodejs npm"
START_SECONDS = 30.0
ACCOUNT = "copydesktests"
KEY = "Y29weWRlc2sgdGVzdHMsIG5vdCBhIHNlY3JldA=="


def _free_port() -> int:
    from tests.serving.service import free_port  # brings MLflow along, which installing has no need of

    return free_port()


@dataclass
class Azurite:
    """A server that can be stopped and started again with what it holds."""

    folder: Path
    port: int = field(default_factory=_free_port)
    options: tuple[str, ...] = ()
    scheme: str = "http"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        return connection_string(self.url)

    def start(self) -> None:
        # The client's own version of the protocol is newer than the server's.
        command = ["node", str(ENTRY), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        command += ["--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(self.folder)]
        environment = os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
        self.process = subprocess.Popen([*command, *self.options], env=environment, stdout=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            assert self.process.poll() is None, f"Azurite ended with {self.process.returncode}"
            assert time.monotonic() < until, f"Azurite didn't start within {START_SECONDS:.0f} s"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()  # it writes its index before it ends
            self.process.wait(30)


@contextmanager
def azurite_server(folder: Path, **fields: object) -> Iterator[Azurite]:
    """Running; what it holds is in the folder."""
    try:
        install()
    except OSError as error:
        missing("Azurite", f"{error}; {HOW}")
    server = Azurite(folder, **fields)  # type: ignore[arg-type]
    try:
        server.start()
        yield server
    finally:
        server.stop()


def connection_string(url: str, key: str = KEY) -> str:
    return f"DefaultEndpointsProtocol={url.partition(':')[0]};AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={url}"


def install() -> None:
    """Once for a lock; processes that ask at once wait for each other. Raises OSError."""
    if not (shutil.which("npm") and shutil.which("node")):
        raise FileNotFoundError("npm is missing")
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    with LOCK.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if INSTALLED.exists() and INSTALLED.read_text() == digest:
            return
        command = ["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(PACKAGE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(f"npm could not install it: {(done.stderr or done.stdout).strip()[-300:]}")
        INSTALLED.write_text(digest)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    try:
        install()
    except OSError as error:
        sys.exit(f"Azurite is missing: {error}; {HOW}")
