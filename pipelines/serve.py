"""Runs the whole service on one machine: the API with its page, a worker, and MLflow's pages."""

import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, MappingProxyType

from rich.console import Console
from rich.text import Text

from agent.code_digest import code_digest
from agent.guideline import GuidelinePack
from agent.pack_files import default_pack
from agent.spec import AgentSpec
from pipelines.person import user_name
from pipelines.processes import Processes
from pipelines.register import register_spec
from registry.aliases import promote
from registry.connection import Registry, connect
from registry.errors import CodeMismatch, NotTrusted
from registry.pages import PAGES_ENVIRONMENT, pages_command
from registry.settings import RegistrySettings
from registry.standing import standing
from registry.trust import trusted_keys
from serving.access.settings import AccessSettings
from serving.errors import PortTaken
from serving.logs import LogSettings
from serving.settings import ServingSettings

READY_SECONDS = 120.0
WATCH_SECONDS = 0.5


class Stopped(BaseException):
    """SIGTERM or SIGINT arrived."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the service answers; `mlflow` is empty when its pages aren't served."""

    api: str
    mlflow: str
    own_pages: bool  # we serve MLflow's pages ourselves


def serve_all(console: Console, *, mlflow_port: int) -> int:
    """Serves until SIGINT or SIGTERM; with no champion yet the pack `house` becomes it, and that is said."""
    serving, access = ServingSettings(), AccessSettings()
    serving.must_be_safe(sign_in=access.required)
    serving.worker_must_be_safe(metrics_token=bool(access.metrics_token.get_secret_value()))
    check_free(serving.host, serving.port, "COPYDESK_PORT")
    if mlflow_port and RegistrySettings().embedded:
        check_free("127.0.0.1", mlflow_port, "COPYDESK_MLFLOW_PORT")
    registry = connect(RegistrySettings())
    trusted_keys(registry.settings)  # without any the worker would refuse to start
    with stoppable(console), Processes(serving.home / "logs") as processes:
        addresses = start(processes, serving, registry.settings, mlflow_port=mlflow_port)
        ensure_champion(registry, default_pack(), console, reason="first start: not evaluated yet")
        with console.status("Starting the API, a worker and MLflow's pages …"):
            wait_until_ready(processes, addresses)
        print_addresses(console, addresses)
        wait_until_stopped(processes)
    return 0


def wait_until_stopped(processes: Processes) -> None:
    """Waits for a signal; raises ProcessEnded when a process ends before."""
    while True:
        time.sleep(WATCH_SECONDS)
        processes.check()


def ensure_champion(
    registry: Registry, pack: GuidelinePack, console: Console, *, reason: str, replace: bool = False
) -> None:
    """Registers `pack` and makes it champion by force where there is no champion, or always with `replace`.

    A champion made with other code can't be served by this one: CodeMismatch says how to go on. One without a record
    that holds isn't served: NotTrusted says so.
    """
    there = standing(registry)
    version = there.champion.version if there.champion else None
    if version is None and there.refusal and not replace:
        raise NotTrusted(
            f"no verified version is there to be served: {there.refusal}. To serve one all the same, promote it anew: "
            "`copydesk versions`, then `copydesk promote NUMBER --force REASON`"
        )
    if version is not None and not replace:
        if version.code_digest != code_digest():
            raise CodeMismatch(
                f"champion version {version.number} was made with other agent code than is installed: "
                "run `copydesk register`, `copydesk gate --set FILE`, then `copydesk promote` with the number it prints"
            )
        return
    registered = register_spec(registry, AgentSpec(pack=pack), console).version
    if version is None or version.number != registered.number or there.refusal:
        promote(registry, registered.number, force_reason=reason, who=user_name())
    console.print(Text(f"  champion, ungated: forced, {reason}", "yellow"))


def start(
    processes: Processes,
    serving: ServingSettings,
    registry: RegistrySettings,
    *,
    mlflow_port: int,
    beside: Mapping[str, str] = MappingProxyType({}),
) -> Addresses:
    """Starts every process; `wait_until_ready` waits for them, so what takes a while can be done meanwhile.

    `beside`: more of their environment.
    """
    environment = {
        "COPYDESK_HOST": serving.host,
        "COPYDESK_PORT": str(serving.port),
        "COPYDESK_HOME": str(serving.home.resolve()),
        "MLFLOW_TRACKING_URI": registry.mlflow_tracking_uri,
        "DB_CONNECTION_STRING": serving.db_connection_string,
        "REDIS_CONNECTION_STRING": serving.redis_connection_string,
        "BLOB_CONNECTION_STRING": serving.blob_connection_string,
        "COPYDESK_BLOB_ACCOUNT_URL": serving.blob_account_url,
        "COPYDESK_LOG_FORMAT": LogSettings().log_format or "text",  # a person reads these files
        **beside,
    }
    pages = "" if registry.embedded else registry.tracking_uri
    if registry.embedded and mlflow_port:
        pages = f"http://127.0.0.1:{mlflow_port}"
        processes.start("mlflow", pages_command(registry, port=mlflow_port), PAGES_ENVIRONMENT)
    processes.start("worker", ["-m", "pipelines", "worker"], environment)
    processes.start("api", ["-m", "pipelines", "api"], environment)
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    return Addresses(f"http://{host}:{serving.port}", pages, own_pages=bool(pages) and registry.embedded)


def wait_until_ready(processes: Processes, addresses: Addresses) -> None:
    """Returns when articles can be checked and MLflow's pages answer."""
    processes.wait_for(f"{addresses.api}/readyz", seconds=READY_SECONDS)
    if addresses.own_pages:
        processes.wait_for(f"{addresses.mlflow}/health", seconds=READY_SECONDS)


def print_addresses(console: Console, addresses: Addresses) -> None:
    """Prints where to go."""
    console.print(f"\n  Check an article   [bold]{addresses.api}/[/]")
    console.print(f"  What the API does  {addresses.api}/openapi.json")
    if addresses.mlflow:
        console.print(f"  Runs and versions  {addresses.mlflow}/")
    console.print("\nCtrl-C stops everything.")


def check_free(host: str, port: int, setting: str) -> None:
    """Raises PortTaken when something listens on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} on {host} is taken ({error.strerror}): stop what listens there, or set {setting}"
            ) from error


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def stoppable(console: Console) -> Iterator[None]:
    """Ends the block quietly on SIGTERM or SIGINT, so that what it opened is closed."""

    def leave(number: int, frame: FrameType | None) -> None:
        for other in before:  # a second Ctrl-C must not interrupt the closing, which ends by itself
            signal.signal(other, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except Stopped:
        console.print("Stopped.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
