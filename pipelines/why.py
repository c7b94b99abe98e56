"""`copydesk why`: the chain behind a finding, from the service's database and the registry."""

import asyncio
import json
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.report import ComplianceReport
from pipelines.output.lineage import print_lineage
from pipelines.output.text import STYLES
from registry.connection import Registry, connect, without_password
from registry.errors import RegistryError
from registry.job_runs import find_job_run
from registry.pages import address_of, run_page, trace_page
from registry.settings import RegistrySettings
from registry.traces import find_trace
from serving.adapters.blob_stores import open_blobs
from serving.adapters.sql_decisions import SqlGateDecisions
from serving.adapters.sql_trail import SqlTrail
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores, open_stores
from serving.errors import FindingNotFound
from serving.job import Job
from serving.lineage import Lineage
from serving.settings import ServingSettings
from serving.usecases.explain import explain, report_of

QUOTE_CHARACTERS = 60  # that a list shows


@dataclass(frozen=True)
class InMlflow:
    """A job's run and trace, with the addresses of their pages where a server shows them."""

    run: str = ""
    run_page: str = ""
    trace: str = ""
    trace_page: str = ""
    fault: str = ""  # why nothing is known of them


@dataclass(frozen=True)
class Chain:
    """A finding's lineage, and the other checks that raise the same finding, the latest first."""

    lineage: Lineage
    others: tuple[Job, ...] = field(default=())


@dataclass(frozen=True)
class Raised:
    """A job with what its report raises."""

    job: Job
    report: ComplianceReport


def explain_finding(name: str, console: Console, *, as_json: bool) -> None:
    """`name` is FINGERPRINT, JOB/FINGERPRINT or JOB; raises FindingNotFound and JobWithoutResult."""
    found = asyncio.run(_find(name))
    if isinstance(found, Raised):
        _print_findings(found, console, as_json=as_json)
        return
    with console.status("Asking MLflow …"):
        logged = _in_mlflow(found.lineage.job_id)
    if as_json:
        told = found.lineage.model_dump(mode="json")
        told |= {"mlflow": asdict(logged), "other_jobs": [job.id for job in found.others]}
        print(json.dumps(told, indent=1, ensure_ascii=False))  # noqa: T201 - for a pipe
        return
    print_lineage(console, found.lineage, logged, found.others)


async def _find(name: str) -> Chain | Raised:
    settings = ServingSettings()
    job_id, _, finding = name.rpartition("/")
    async with open_stores(settings) as stores, open_blobs(settings) as blobs:
        trail, versions = SqlTrail(stores.database), SqlServedVersions(stores.database)
        if not job_id and (job := await stores.jobs.get(name)):
            return Raised(job, await report_of(stores.jobs, job))
        jobs = await _jobs(stores, trail, job_id, finding)
        if not jobs:
            where = without_password(settings.database_url)
            raise FindingNotFound(
                f"no check has a finding {name!r} in {where}: name FINGERPRINT, JOB/FINGERPRINT, or a JOB to list its "
                "findings"
            )
        decisions = SqlGateDecisions(stores.database)
        lineage = await explain(
            stores.jobs, blobs, stores.feedback, versions, decisions, trail, job=jobs[0], finding=finding
        )
    return Chain(lineage, tuple(jobs[1:]))


async def _jobs(stores: Stores, trail: SqlTrail, job_id: str, finding: str) -> list[Job]:
    if not job_id:
        return await trail.jobs_with(finding)
    job = await stores.jobs.get(job_id)
    return [job] if job else []


def _in_mlflow(job_id: str) -> InMlflow:
    try:
        return _logged(connect(RegistrySettings()), job_id)
    except RegistryError as error:
        return InMlflow(fault=str(error))


def _logged(registry: Registry, job_id: str) -> InMlflow:
    run, trace = find_job_run(registry, job_id), find_trace(registry, job_id)
    if run is None:
        return InMlflow(fault=f"there is no run of this job in {without_password(registry.uri)}")
    return InMlflow(
        run=run.run_id,
        run_page=address_of(registry, run_page(run.experiment_id, run.run_id)),
        trace=trace or "",
        trace_page=address_of(registry, trace_page(run.experiment_id, trace)) if trace else "",
    )


def _print_findings(raised: Raised, console: Console, *, as_json: bool) -> None:
    findings = raised.report.findings
    if as_json:
        keys = {"fingerprint", "guideline", "severity", "quote", "start", "end", "paragraph"}
        listed = [finding.model_dump(mode="json", include=keys) for finding in findings]
        print(json.dumps(listed, indent=1, ensure_ascii=False))  # noqa: T201 - for a pipe
        return
    if not findings:
        console.print(f"Job {raised.job.id} raised nothing.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("finding", "severity", "guideline", "words"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        quote = " ".join(finding.quote.split())
        shown = quote if len(quote) <= QUOTE_CHARACTERS else quote[: QUOTE_CHARACTERS - 1] + "…"
        severity = Text(finding.severity, STYLES[finding.severity])
        table.add_row(finding.fingerprint, severity, finding.guideline, Text(shown))
    console.print(table)
    console.print(f"Ask about one: [bold]copydesk why {raised.job.id}/FINDING[/]", soft_wrap=True)
