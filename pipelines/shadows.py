"""`copydesk shadow`: a challenger on a sample of live articles, unseen by their editors."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.person import operator
from serving.errors import NoShadow
from serving.ports import Shadows
from serving.shadow import CheckState, Pair, Shadow, Spent, Tally, tally
from serving.sign_test import Evidence

shadow_app = typer.Typer(
    help="Check a sample of live articles by a challenger, too; no editor sees what it finds.", no_args_is_help=True
)

ALPHA = 0.05
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
    Console(highlight=False).print(
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
) -> None:
    """Say how the versions agree, by guideline, and whether the challenger finds less.

    The test may be looked at at any time: it is wrong in 5 % of the shadows at most, however often it is looked at.
    """
    asyncio.run(_report(Console(highlight=False), everything=everything))


async def _start(shadow: Shadow) -> None:
    async with _opened() as shadows:
        await shadows.start(shadow)


async def _stop(reason: str) -> Shadow:
    """Raises NoShadow."""

    async with _opened() as shadows:
        if (shadow := await shadows.active()) is None:
            raise NoShadow("no version checks in the shadow: `copydesk shadow start VERSION`")
        await shadows.stop(shadow, reason, _now(), by=operator())
        return shadow


async def _report(console: Console, *, everything: bool) -> None:
    async with _opened() as shadows:
        if (shadow := await shadows.latest()) is None:
            raise NoShadow("no version has checked in the shadow yet: `copydesk shadow start VERSION`")
        pairs, counts = await shadows.pairs(shadow), await shadows.counts(shadow)
        today = _now().replace(hour=0, minute=0, second=0, microsecond=0)
        spent, all_spent = await shadows.spent(shadow, today), await shadows.spent(shadow, shadow.started)
    found = tally(pairs)
    _print_head(console, shadow, counts, spent, all_spent)
    _print_agreement(console, found)
    console.print(_verdict(found.overall))
    _print_disagreements(console, pairs, None if everything else REVIEWED)


def _print_head(console: Console, shadow: Shadow, counts: Mapping[str, int], spent: Spent, all_spent: Spent) -> None:
    state = f"ended {shadow.ended:%Y-%m-%d %H:%M}: {shadow.reason}" if shadow.ended else "checks"
    console.print(
        f"[bold]Version {shadow.version}[/] in the shadow of version {shadow.champion}, {shadow.share:.0%} of the "
        f"documents since {shadow.started:%Y-%m-%d %H:%M} UTC; {state}",
        soft_wrap=True,
    )
    named = {state: counts.get(state, 0) for state in (CheckState.COMPARED, CheckState.WAITING)}
    others = {why: count for why, count in counts.items() if why not in named}
    said = ", ".join(f"{count} {state}" for state, count in (named | others).items())
    cap = f"{shadow.checks_a_day} articles" if shadow.budget is None else f"{shadow.budget:g}"
    cost = f"today {spent.checks} articles, {spent.calls} calls, {spent.cost:.2f} of {cap}"
    console.print(f"  {said}; {cost}; in all {all_spent.calls} calls, {all_spent.cost:.2f}", soft_wrap=True)


def _print_agreement(console: Console, found: Tally) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("guideline", "articles", "both", "only champion", "only challenger", "less / more", "finds less"):
        table.add_column(name, justify="left" if name == "guideline" else "right")
    for each in found.guidelines:
        less = each.evidence.rejects(ALPHA, tests=len(found.guidelines))
        table.add_row(
            each.guideline,
            str(each.articles),
            str(each.both),
            str(each.only_champion),
            str(each.only_challenger),
            f"{each.evidence.less} / {each.evidence.more}",
            Text(f"yes, e = {each.evidence.highest:.3g}", "red") if less else f"e = {each.evidence.highest:.3g}",
        )
    if found.guidelines:
        console.print(table)


def _verdict(overall: Evidence) -> Text:
    on = f"on {overall.less} articles it found less, on {overall.more} more"
    if overall.rejects(ALPHA):
        return Text(f"It finds less than the champion (e = {overall.highest:.3g} >= {1 / ALPHA:g}): {on}.", "red")
    return Text(f"Nothing shows that it finds less (e = {overall.highest:.3g} < {1 / ALPHA:g}): {on}.")


def _print_disagreements(console: Console, pairs: list[Pair], limit: int | None) -> None:
    rows = [
        (pair.job, each.guideline, who, fingerprint)
        for pair in reversed(pairs)
        for each in pair.guidelines
        for who, found in (("champion", each.only_champion), ("challenger", each.only_challenger))
        for fingerprint in found
    ]
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("job", "guideline", "only the", "finding"):
        table.add_column(name, no_wrap=True)
    for row in rows[:limit]:
        table.add_row(*row)
    console.print(table)
    if limit is not None and len(rows) > limit:
        console.print(f"  {len(rows) - limit} more: --all", style="dim")


@asynccontextmanager
async def _opened() -> AsyncIterator[Shadows]:
    from serving.adapters.sql_shadows import SqlShadows
    from serving.adapters.stores import open_stores
    from serving.settings import ServingSettings

    async with open_stores(ServingSettings()) as stores:
        yield SqlShadows(stores.database)


def _now() -> datetime:
    return datetime.now(UTC)
