"""`copydesk rollout`: a challenger beside the champion, in growing shares of the articles."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.errors import CopydeskError
from pipelines.options import DecidedOnOption, DecisionOption, SplitOption
from pipelines.person import operator
from pipelines.refusal import refused
from serving.errors import NoRollout
from serving.ports.rollouts import Rollouts
from serving.ports.versions import ServedVersion, ServedVersions
from serving.rollout import JobFacts, Rollout, RolloutPolicy, State, p95, share_of

if TYPE_CHECKING:
    from registry.signatures import Signed

rollout_app = typer.Typer(
    help="Give a challenger 10, 50 and 100 % of the articles; what goes wrong ends it.", no_args_is_help=True
)

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
    decision: DecisionOption = "",
    policy: Annotated[
        Path | None, typer.Option(envvar="COPYDESK_POLICY", help="The gate's policy it must have been decided by.")
    ] = None,
    labels: DecidedOnOption = None,
    split: SplitOption = "test",
) -> None:
    """Begin with the first share. It needs what `copydesk promote` needs, and signs it.

    Exit code 0: it runs. 1: the decision says BLOCK. 3: INCONCLUSIVE. 2: as `copydesk promote`.
    """
    from registry.errors import DecidedAgainst

    rules, console = read_terms(terms), Console(highlight=False)
    try:
        signed = _consented(version, rules, decision=decision, policy=policy, labels=labels, split=split)
    except DecidedAgainst as error:
        raise typer.Exit(refused(error, console)) from error
    rollout = asyncio.run(_started(signed, rules))
    console.print(
        f"[bold]Version {version}[/] gets {rollout.share:.0%} of the articles beside version {rollout.champion}, as "
        "soon as a worker serves it: `copydesk rollout status`"
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


def _consented(
    version: int, rules: RolloutPolicy, *, decision: str, policy: Path | None, labels: Path | None, split: str
) -> "Signed":
    """Raises what `registry.trials.consent` does."""
    from evaluation.labels import read_labels
    from pipelines.gate import policy_of
    from pipelines.person import person
    from registry.connection import connect
    from registry.settings import RegistrySettings
    from registry.trials import consent

    who = person()
    return consent(
        connect(RegistrySettings()),
        version,
        rollout=uuid4().hex,
        terms=rules.digest,
        who=who.name,
        signed_in=who.signed_in,
        decision=decision,
        policy_digest=policy_of(policy).digest,
        set_digest=read_labels(labels).of_split(split).digest if labels else "",
    )


async def _started(signed: "Signed", rules: RolloutPolicy) -> Rollout:
    async with _opened() as use:
        rollout = _first_stage(signed, rules, await use.rollouts.now())
        await use.rollouts.start(rollout)
        return rollout


def _first_stage(signed: "Signed", rules: RolloutPolicy, now: datetime) -> Rollout:
    from registry.statement import Trial

    trial = Trial.model_validate(signed.body)
    return Rollout(
        id=trial.rollout,
        challenger=str(trial.number),
        champion=str(trial.champion),
        policy=rules,
        signed=signed.model_dump_json(),
        who=trial.who,
        started=now,
        staged=now,
    )


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
