"""`copydesk rollout`: a challenger beside the champion, in growing shares of the articles."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.errors import CopydeskError
from pipelines.person import operator
from serving.errors import NoRollout
from serving.ports.rollouts import Rollouts
from serving.ports.versions import ServedVersion, ServedVersions
from serving.rollout import JobFacts, Rollout, RolloutPolicy, State, p95, share_of

rollout_app = typer.Typer(
    help="Give a challenger 10, 50 and 100 % of the articles; what goes wrong ends it.", no_args_is_help=True
)

REFUSALS = {"BLOCK": 1, "INCONCLUSIVE": 3}
LATEST = 5
STYLES = {State.RUNNING: "green", State.HELD: "yellow", State.ABORTED: "red", State.FINISHED: "bold green"}


class WrongTerms(CopydeskError):
    """A file of stages and limits has a mistake."""

    type = "invalid-rollout-terms"


@dataclass(frozen=True, slots=True)
class _Opened:
    rollouts: Rollouts
    versions: ServedVersions


@rollout_app.command("start")
def start(
    version: Annotated[int, typer.Argument(help="The number of a registered version that a gate has passed.")],
    terms: Annotated[
        Path | None, typer.Option(help="Stages and limits, YAML: `shares: [0.1, 0.5, 1]`; as documented without it.")
    ] = None,
    decision: Annotated[
        str, typer.Option(help="The MLflow run of a decision; the newest of this version without.")
    ] = "",
    policy: Annotated[
        Path | None, typer.Option(envvar="COPYDESK_POLICY", help="The gate's policy it must have been decided by.")
    ] = None,
    labels: Annotated[Path | None, typer.Option("--set", help="The labelled set it must have been decided on.")] = None,
    split: Annotated[str, typer.Option(help="The split of the set.")] = "test",
) -> None:
    """Begin with the first share. It needs what `copydesk promote` needs, and signs it.

    Exit code 0: it runs. 1: the decision says BLOCK. 3: INCONCLUSIVE. 2: as `copydesk promote`.
    """
    from evaluation.labels import read_labels
    from pipelines.gate import policy_of
    from pipelines.person import person
    from registry.connection import connect
    from registry.errors import DecidedAgainst
    from registry.settings import RegistrySettings
    from registry.statement import Trial
    from registry.trials import consent

    rules, who, id, console = read_terms(terms), person(), uuid4().hex, Console(highlight=False)
    try:
        signed = consent(
            connect(RegistrySettings()),
            version,
            rollout=id,
            terms=rules.digest,
            who=who.name,
            signed_in=who.signed_in,
            decision=decision,
            policy_digest=policy_of(policy).digest,
            set_digest=read_labels(labels).of_split(split).digest if labels else "",
        )
    except DecidedAgainst as refused:
        console.print(Text(str(refused), "red"), soft_wrap=True)
        raise typer.Exit(REFUSALS.get(refused.outcome, 2)) from refused
    champion = Trial.model_validate(signed.body).champion

    def begin(now: datetime) -> Rollout:
        return Rollout(
            id=id,
            challenger=str(version),
            champion=str(champion),
            policy=rules,
            signed=signed.model_dump_json(),
            who=who.name,
            started=now,
            staged=now,
        )

    rollout = asyncio.run(_started(begin))
    console.print(
        f"[bold]Version {version}[/] gets {rollout.share:.0%} of the articles beside version {champion}, as soon as a "
        "worker serves it: `copydesk rollout status`"
    )


@rollout_app.command("status")
def status() -> None:
    """Say how the rollout stands, what it is judged by, and how those before ended."""
    console = Console(highlight=False)
    asyncio.run(_print_status(console))


@rollout_app.command("hold")
def hold(reason: Annotated[str, typer.Option(help="Why.")] = "held by hand") -> None:
    """Keep the share as it is. What goes wrong still ends the rollout."""
    _change(lambda rollout, _: rollout.held(reason))


@rollout_app.command("resume")
def resume() -> None:
    """Go on with a rollout that is held; its stage begins anew."""
    _change(lambda rollout, now: rollout.resumed(now))


@rollout_app.command("abort")
def abort(reason: Annotated[str, typer.Option(help="Why.")] = "aborted by hand") -> None:
    """Give all articles back to the champion, within a second."""
    _change(lambda rollout, now: rollout.aborted(reason, now))


def read_terms(path: Path | None) -> RolloutPolicy:
    """Raises WrongTerms."""
    if path is None:
        return RolloutPolicy()
    try:
        return RolloutPolicy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise WrongTerms(f"{path.name} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise WrongTerms(f"{path.name}: {where} is wrong: {first['msg']}") from error


def _change(move: Callable[[Rollout, datetime], Rollout]) -> None:
    changed = asyncio.run(_changed(move))
    said = f": {changed.reason}" if changed.reason else ""
    share = f", version {changed.challenger} gets {changed.share:.0%} of the articles"
    Console(highlight=False).print(Text(f"The rollout is {changed.state}{share}{said}", STYLES[changed.state]))


async def _started(begin: Callable[[datetime], Rollout]) -> Rollout:
    async with _opened() as use:
        rollout = begin(await use.rollouts.now())
        await use.rollouts.start(rollout)
        return rollout


async def _changed(move: Callable[[Rollout, datetime], Rollout]) -> Rollout:
    """Raises NoRollout."""

    async with _opened() as use:
        while True:
            rollout = await use.rollouts.active()
            if rollout is None:
                raise NoRollout("nothing is being rolled out: `copydesk rollout start VERSION`")
            now = await use.rollouts.now()
            try:
                changed = move(rollout, now)
            except ValueError as error:
                raise NoRollout(str(error)) from error
            if await use.rollouts.change(changed, by=operator(), now=now):
                return changed


async def _print_status(console: Console) -> None:
    async with _opened() as use:
        active, latest = await use.rollouts.active(), await use.rollouts.latest(LATEST)
        if active is not None:
            evidence = await use.rollouts.evidence(active)
            challenger = await use.versions.challenger(active.challenger)
            _print_active(console, active, challenger)
            _print_evidence(console, active, evidence.champion, evidence.challenger)
    before = [rollout for rollout in latest if rollout.ended]
    if active is None and not before:
        console.print("Nothing was rolled out yet: `copydesk rollout start VERSION`")
    for rollout in before:
        line = f"{rollout.started:%Y-%m-%d %H:%M} version {rollout.challenger} {rollout.state}: {rollout.reason}"
        console.print(Text(line, "dim"), soft_wrap=True)


def _print_active(console: Console, rollout: Rollout, challenger: ServedVersion | None) -> None:
    stage = f"stage {rollout.stage + 1} of {len(rollout.policy.shares)} since {rollout.staged:%Y-%m-%d %H:%M} UTC"
    line = f"Version {rollout.challenger} {rollout.state}: {rollout.share:.0%} of the articles, {stage}"
    console.print(Text(line, STYLES[rollout.state]))
    if rollout.reason:
        console.print(f"  {rollout.reason}", soft_wrap=True)
    if challenger is None:
        console.print(
            Text("  no worker serves it yet, so the champion gets all of them; see the workers' log", "yellow")
        )


def _print_evidence(
    console: Console, rollout: Rollout, champion: tuple[JobFacts, ...], challenger: tuple[JobFacts, ...]
) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("this stage", "jobs", "with gaps", "failed checks", "not anchored", "p95"):
        table.add_column(name)
    for version, jobs in ((rollout.champion, champion), (rollout.challenger, challenger)):
        slowest = p95(jobs)
        table.add_row(
            f"version {version}",
            str(len(jobs)),
            str(share_of((job.unit, int(job.broken), 1) for job in jobs)),
            str(share_of((job.unit, job.failed, job.checks) for job in jobs)),
            str(share_of((job.unit, job.unanchored, job.unanchored + job.found) for job in jobs)),
            "" if slowest is None else f"{slowest:.2f} s",
        )
    console.print(table)
    console.print(f"  looked at {rollout.looks} times, next at {rollout.next_look} jobs", style="dim")


@asynccontextmanager
async def _opened() -> AsyncIterator[_Opened]:
    from serving.adapters.sql_rollouts import SqlRollouts
    from serving.adapters.sql_versions import SqlServedVersions
    from serving.adapters.stores import open_stores
    from serving.settings import ServingSettings

    async with open_stores(ServingSettings()) as stores:
        yield _Opened(SqlRollouts(stores.database), SqlServedVersions(stores.database))
