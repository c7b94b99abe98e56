"""The main job, end to end and for real, on embedded defaults: `copydesk demo`.

It keeps what it makes in a folder of its own, `demo` under COPYDESK_HOME, so it never touches a
registry that somebody works with; run again, it finds its version registered.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from agent.article import Article
from agent.errors import CopydeskError
from agent.formats.reading import read_article
from agent.pack_files import default_pack
from agent.report import ComplianceReport
from pipelines.output.sheet import Checked
from pipelines.output.text import print_sheets
from pipelines.processes import Processes
from pipelines.serve import (
    Addresses,
    ensure_champion,
    free_port,
    print_addresses,
    start,
    stoppable,
    wait_until_ready,
    wait_until_stopped,
)
from registry.connection import Registry, connect
from registry.job_runs import LoggedRun, find_job_run
from registry.settings import RegistrySettings
from serving.settings import ServingSettings

SAMPLE = Path(__file__).with_name("demo-article.md")
JOB_SECONDS = 60.0
LOGGED_SECONDS = 60.0
POLL_SECONDS = 0.1
NO_SIGN_IN = {"JWT_SECRET_KEY": "", "COPYDESK_ENTRA_TENANT": "", "COPYDESK_ENTRA_AUDIENCE": "[]"}
OWN_KEY = {"COPYDESK_SIGNING_KEY": "", "COPYDESK_TRUSTED_KEYS": "", "COPYDESK_APPROVALS": "1"}
SHOWN_METRICS = ("score", "score_minimum", "findings", "checks", "checks_failed", "words", "duration_seconds")


class DemoFailed(CopydeskError):
    """The demo did not come to its end."""

    type = "demo-failed"


def run_demo(console: Console, *, keep: bool) -> int:
    """Registers, promotes, serves, checks one article over HTTP and shows its run; 0 when all of it worked."""
    started = time.monotonic()
    home = ServingSettings().home / "demo"
    serving = ServingSettings(
        home=home,
        host="127.0.0.1",
        port=free_port(),
        db_connection_string="",
        redis_connection_string="",
        blob_connection_string="",
        blob_account_url="",
    )
    registry = connect(
        RegistrySettings(home=home, mlflow_tracking_uri="", signing_key="", trusted_keys="", approvals=1)
    )
    with stoppable(console), Processes(home / "logs") as processes:
        _step(console, 1, "Start the API, a worker and MLflow's pages")
        addresses = start(processes, serving, registry.settings, mlflow_port=free_port(), beside=NO_SIGN_IN | OWN_KEY)
        console.print(f"  {addresses.api} and {addresses.mlflow}; they write to {home / 'logs'}")
        _step(console, 2, "Register guidelines and agent with MLflow, and make the version champion")
        ensure_champion(registry, default_pack(), console, reason="demo: not evaluated yet", replace=True)
        with console.status("Waiting for the worker to serve it …"):
            wait_until_ready(processes, addresses)
        _step(console, 3, f"Check {SAMPLE.name} over HTTP")
        job, sheet = _check(addresses.api, console)
        console.print()
        print_sheets(console, [sheet])
        _step(console, 4, "Find the run in MLflow")
        _print_run(console, _logged_run(registry, job), addresses)
        console.print(f"\nDone in {time.monotonic() - started:.0f} seconds.", style="bold green")
        _print_next(console, addresses, home, keep=keep)
        if keep:
            wait_until_stopped(processes)
    return 0


def _step(console: Console, number: int, what: str) -> None:
    console.print(f"\n[bold blue]{number}[/] [bold]{what}[/]")


def _check(api: str, console: Console) -> tuple[str, Checked]:
    """Submits the sample, follows the job and returns its id with the report."""
    data = SAMPLE.read_bytes()
    with httpx.Client(base_url=api, timeout=30, trust_env=False) as client:
        body = {"document_id": SAMPLE.name, "channel": "demo"}
        accepted = client.post("/api/v1/compliance/check", data=body, files={"file": (SAMPLE.name, data)})
        if accepted.status_code != httpx.codes.ACCEPTED:
            raise DemoFailed(f"the API refused the sample ({accepted.status_code}): {accepted.text}")
        job = str(accepted.json()["job_id"])
        console.print(f"  POST /api/v1/compliance/check -> {accepted.status_code}, job {job}")
        status = _follow(client, accepted.json()["links"]["status"], console)
        console.print(f"  GET /api/v1/jobs/{job}/status -> {status}")
        result = client.get(accepted.json()["links"]["result"]).raise_for_status().json()
    article = read_article(data, SAMPLE.name)
    return job, _sheet(article, result)


def _sheet(article: Article, result: Mapping[str, object]) -> Checked:
    if result["text"] != article.text:
        raise DemoFailed("the service read the sample as another text than this command")
    report = ComplianceReport.model_validate(result["report"])
    return Checked(SAMPLE.name, article, report, default_pack())


def _follow(client: httpx.Client, url: str, console: Console) -> str:
    until = time.monotonic() + JOB_SECONDS
    columns = (TextColumn("  checking"), BarColumn(), MofNCompleteColumn(), TextColumn("guidelines"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        while time.monotonic() < until:
            job = client.get(url).raise_for_status().json()
            bar.update(task, completed=job.get("done") or 0, total=job.get("total"))
            if job["status"] not in ("queued", "running"):
                return str(job["status"])
            time.sleep(POLL_SECONDS)
    raise DemoFailed(f"the job did not finish within {JOB_SECONDS:.0f} seconds: look into the worker's log")


def _logged_run(registry: Registry, job: str) -> LoggedRun:
    until = time.monotonic() + LOGGED_SECONDS
    while time.monotonic() < until:
        if run := find_job_run(registry, job):
            return run
        time.sleep(POLL_SECONDS)
    raise DemoFailed(f"MLflow has no run of job {job} after {LOGGED_SECONDS:.0f} seconds: look into the worker's log")


def _print_run(console: Console, run: LoggedRun, addresses: Addresses) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("  run", f"{run.run_id} in {run.experiment}")
    table.add_row("  version", f"{run.params['version']} (digest {run.params['version_digest'][:12]})")
    table.add_row("  evidence", Text(f"{run.params['evidence']} (record {run.params['record']})", "yellow"))
    table.add_row(
        "  metrics", ", ".join(f"{name} {run.metrics[name]:g}" for name in SHOWN_METRICS if name in run.metrics)
    )
    table.add_row("  artifact", ", ".join(run.artifacts))
    console.print(table)
    page = f"{addresses.mlflow}/#/experiments/{run.experiment_id}/runs/{run.run_id}"
    console.print(f"  page      {page}", soft_wrap=True)


def _print_next(console: Console, addresses: Addresses, home: Path, *, keep: bool) -> None:
    if keep:
        print_addresses(console, addresses)
        return
    console.print(f"Everything is stopped again; what it made is kept in {home}.")
    console.print("Keep it up and check articles of your own: [bold]make serve[/]")
