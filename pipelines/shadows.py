"""`copydesk shadow`: a challenger on a sample of live articles, unseen by their editors."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console

from agent.stored_article import load_article
from pipelines.output.shadow import Compared, ShadowReport, print_shadow, shadow_json
from pipelines.person import operator
from serving.disagreements import disagreements
from serving.errors import JobNotFound, NoShadow
from serving.ports.jobs import JobStore
from serving.ports.rollouts import Shadows
from serving.ports.storage import BlobStore
from serving.shadow import Shadow, tally

shadow_app = typer.Typer(
    help="Check a sample of live articles by a challenger, too; no editor sees what it finds.", no_args_is_help=True
)

REVIEWED = 20  # disagreements that are listed without --all


@shadow_app.command("start")
def start(
    version: Annotated[int, typer.Argument(help="The number of a registered version.")],
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Part of the documents.")] = 0.1,
    budget: Annotated[
        float | None, typer.Option(min=0.0, help="A day, in the currency of COPYDESK_MODEL_PRICES.")
    ] = None,
    checks_a_day: Annotated[int | None, typer.Option(min=1, help="Articles a day, in place of --budget.")] = None,
) -> None:
    """Begin to sample. Articles are checked after their editors have their reports, when nobody waits."""
    from pipelines.person import person
    from registry.connection import connect
    from registry.errors import Ungated
    from registry.settings import RegistrySettings
    from registry.standing import standing
    from registry.versions import describe

    if (budget is None) == (checks_a_day is None):
        raise typer.BadParameter("name one of --budget and --checks-a-day: a shadow without a cap could cost anything")
    registry = connect(RegistrySettings())
    challenger, champion = describe(registry, str(version)), standing(registry).champion
    if champion is None or champion.version.number == version:
        there = "there is no champion" if champion is None else f"version {version} is the champion"
        raise Ungated(f"{there}, so there is nothing to compare it with")
    shadow = Shadow(
        id=uuid4().hex,
        version=str(challenger.number),
        champion=str(champion.version.number),
        share=share,
        who=person().name,
        started=_now(),
        checks_a_day=checks_a_day,
        budget=budget,
    )
    asyncio.run(_start(shadow))
    console = Console(highlight=False)
    if challenger.code_digest != champion.version.code_digest:
        console.print(
            f"Version {version} is of other code than the champion: only a worker of its release can check it",
            style="yellow",
        )
    console.print(
        f"[bold]Version {version}[/] checks {share:.0%} of the documents in the shadow of version {shadow.champion}: "
        "`copydesk shadow report`"
    )


@shadow_app.command("stop")
def stop(reason: Annotated[str, typer.Option(help="Why.")] = "stopped by hand") -> None:
    """Sample no more. What was compared stays."""
    shadow = asyncio.run(_stop(reason))
    Console(highlight=False).print(f"Version {shadow.version} checks no more in the shadow")


@shadow_app.command("report")
def report(
    everything: Annotated[bool, typer.Option("--all", help="List every disagreement.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say how the versions agree, by guideline, whether the challenger finds less, and show where they differ.

    The test may be looked at at any time: it is wrong in 5 % of the shadows at most, however often it is looked at.
    """
    found = asyncio.run(_report(None if everything else REVIEWED))
    if as_json:
        print(json.dumps(shadow_json(found), indent=1, ensure_ascii=False))  # noqa: T201 - for a pipe
        return
    print_shadow(Console(highlight=False), found)


async def _start(shadow: Shadow) -> None:
    async with _opened() as (shadows, _):
        await shadows.start(shadow)


async def _stop(reason: str) -> Shadow:
    """Raises NoShadow."""

    async with _opened() as (shadows, _):
        if (shadow := await shadows.active()) is None:
            raise NoShadow("no version checks in the shadow: `copydesk shadow start VERSION`")
        await shadows.stop(shadow, reason, _now(), by=operator())
        return shadow


async def _report(limit: int | None) -> ShadowReport:
    """Raises NoShadow."""
    from serving.adapters.blob_stores import open_blobs
    from serving.settings import ServingSettings

    async with _opened() as (shadows, jobs), open_blobs(ServingSettings()) as blobs:
        if (shadow := await shadows.latest()) is None:
            raise NoShadow("no version has checked in the shadow yet: `copydesk shadow start VERSION`")
        pairs, counts = await shadows.pairs(shadow), await shadows.counts(shadow)
        today = _now().replace(hour=0, minute=0, second=0, microsecond=0)
        spent, in_all = await shadows.spent(shadow, today), await shadows.spent(shadow, shadow.started)
        found = disagreements(pairs)
        shown = found[:limit]
        articles = {id: await _compared(jobs, blobs, id) for id in dict.fromkeys(one.job for one in shown)}
    return ShadowReport(shadow, counts, spent, in_all, tally(pairs), shown, len(found) - len(shown), articles)


async def _compared(jobs: JobStore, blobs: BlobStore, id: str) -> Compared:
    job = await jobs.get(id)
    if job is None:  # it was forgotten a moment ago, and what was compared with it
        raise JobNotFound(f"job {id} was forgotten while the report was made: ask again")
    data = await blobs.get(job.blob)
    return Compared(job, load_article(data) if data else None)


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[Shadows, JobStore]]:
    from serving.adapters.sql_shadows import SqlShadows
    from serving.adapters.stores import open_stores
    from serving.settings import ServingSettings

    async with open_stores(ServingSettings()) as stores:
        yield SqlShadows(stores.database), stores.jobs


def _now() -> datetime:
    return datetime.now(UTC)
