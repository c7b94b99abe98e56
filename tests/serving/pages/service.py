"""The whole service as `copydesk serve` starts it, with the pack that comes with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.processes import Processes
from pipelines.serve import free_port

READY_SECONDS = 100.0


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """Keeps everything in `folder`; yields the address when articles can be checked."""
    port = free_port()
    environment = {
        "COPYDESK_HOME": str(folder / "home"),
        "COPYDESK_PORT": str(port),
        "COPYDESK_MODEL_URL": "",
        "DB_CONNECTION_STRING": "",
        "MLFLOW_TRACKING_URI": "",
    }
    with Processes(folder / "logs") as processes:
        processes.start("serve", ["-m", "pipelines", "serve", "--mlflow-port", "0"], environment)
        processes.wait_for(f"http://127.0.0.1:{port}/readyz", seconds=READY_SECONDS)
        yield f"http://127.0.0.1:{port}"
