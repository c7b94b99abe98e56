"""`copydesk jobs`: those that were given up and their way back into the queue; what MLflow and clients weren't told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.person import operator
from serving.callback import CallbackStanding
from serving.job import Job
from serving.ports.log import Unlogged, UnloggedCount

if TYPE_CHECKING:
    from serving.adapters.stores import Stores

MOST = 1_000_000  # listed at once

jobs_app = typer.Typer(
    help="Look after jobs that were given up, and what MLflow and clients were not told.", no_args_is_help=True
)


@jobs_app.command("dead")
def list_dead(limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 50) -> None:
    """List the jobs that were given up after too many attempts, the latest first."""
    found, in_all = asyncio.run(_dead(limit))
    console = Console(highlight=False)
    if not found:
        console.print("No job was given up.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("job", "submitted", "attempts", "why"):
        table.add_column(name, overflow="fold")
    for job in found:
        table.add_row(job.id, f"{job.submitted:%Y-%m-%d %H:%M}", str(job.attempt), Text(job.reason))
    console.print(table)
    _say_the_rest(console, len(found), in_all)
    console.print("Queue one again: [bold]copydesk jobs requeue JOB[/], or all of them with --all")


@jobs_app.command("requeue")
def requeue(
    job_ids: Annotated[list[str] | None, typer.Argument(metavar="JOB", help="Ids of jobs that were given up.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Put jobs that were given up back into the queue, with all their attempts."""
    if bool(job_ids) == every:
        raise typer.BadParameter("name the jobs to queue again, or give --all")
    queued = asyncio.run(_requeue(job_ids or []))
    Console(highlight=False).print(f"{len(queued)} {'job is' if len(queued) == 1 else 'jobs are'} queued again.")


@jobs_app.command("callbacks")
def list_callbacks(limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 50) -> None:
    """List the calls to clients that were not answered: those that are tried again, and those that were given up."""
    found, in_all = asyncio.run(_unanswered(limit))
    console = Console(highlight=False)
    if not found:
        console.print("Every call was answered.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("job or batch", "attempts", "next", "address", "why"):
        table.add_column(name, overflow="fold")
    for call in found:
        following = f"{call.due:%Y-%m-%d %H:%M}" if call.due else "never"
        table.add_row(call.job or call.batch, str(call.attempts), following, Text(call.url), Text(call.reason))
    console.print(table)
    _say_the_rest(console, len(found), in_all)


@jobs_app.command("unlogged")
def list_unlogged(limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 50) -> None:
    """List the ended jobs that MLflow lacks, or lacks decisions about: the oldest first, and last what is not tried."""
    found, count = asyncio.run(_unlogged(limit))
    console = Console(highlight=False)
    if not found:
        console.print("Every ended job is logged to MLflow, with all that was decided.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("job", "lacks", "ended", "attempts", "next", "why"):
        table.add_column(name, overflow="fold")
    for each in found:
        following = f"{each.due:%Y-%m-%d %H:%M:%S}" if each.due else "never"
        ended = f"{each.ended:%Y-%m-%d %H:%M}"
        why = Text(each.reason or "not tried yet")
        table.add_row(each.job, each.lacking, ended, str(each.attempts), following, why)
    console.print(table)
    _say_the_rest(console, len(found), count.due + count.given_up)
    console.print(
        f"{count.due} to be tried, {count.given_up} stopped. Stop one: [bold]copydesk jobs stop-logging JOB "
        "--reason WHY[/]; take that back: [bold]copydesk jobs log-again JOB[/]",
        soft_wrap=True,
    )


@jobs_app.command("stop-logging")
def stop_logging(
    job_ids: Annotated[list[str], typer.Argument(metavar="JOB", help="Ids of jobs that MLflow refuses for ever.")],
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
) -> None:
    """Try no more to log ended jobs to MLflow, or what was decided with their reports; the audit notes who said so."""
    if not reason.strip():
        raise typer.BadParameter("say why, for whoever reads the audit", param_hint="--reason")
    done = asyncio.run(_stop_logging(job_ids, reason.strip()))
    Console(highlight=False).print(
        f"{done} stopped; to take that back: [bold]copydesk jobs log-again JOB[/]", soft_wrap=True
    )


@jobs_app.command("log-again")
def log_again(
    job_ids: Annotated[list[str], typer.Argument(metavar="JOB", help="Ids of jobs whose logging was stopped.")],
) -> None:
    """Have jobs logged to MLflow at once whose logging was stopped, with all that was decided."""
    done = asyncio.run(_log_again(job_ids))
    Console(highlight=False).print(f"{done} to be logged at once.")


def _say_the_rest(console: Console, listed: int, in_all: int) -> None:
    if rest := max(0, in_all - listed):
        is_not = "is not" if rest == 1 else "are not"
        console.print(f"{rest} more {is_not} listed: give [bold]--limit {in_all}[/] for all.")


async def _unanswered(limit: int) -> tuple[list[CallbackStanding], int]:
    """The latest, and how many there are in all."""
    from serving.adapters.sql_callbacks import SqlCallbacks
    from serving.adapters.stores import open_stores
    from serving.settings import ServingSettings

    async with open_stores(ServingSettings()) as stores:
        callbacks = SqlCallbacks(stores.database)
        return await callbacks.unanswered(limit), await callbacks.count_unanswered()


async def _unlogged(limit: int) -> tuple[list[Unlogged], UnloggedCount]:
    """The first, and how many there are in all."""
    from serving.adapters.sql_unlogged import SqlUnlogged
    from serving.adapters.stores import open_stores
    from serving.settings import ServingSettings

    async with open_stores(ServingSettings()) as stores:
        unlogged = SqlUnlogged(stores.database)
        return await unlogged.page(limit), await unlogged.count()


async def _stop_logging(job_ids: list[str], reason: str) -> int:
    """Of how many; raises JobNotFound and NothingToStop."""
    from serving.adapters.sql_unlogged import SqlUnlogged
    from serving.usecases.stop_logging import stop_logging

    async def each(stores: "Stores", job_id: str) -> None:
        unlogged = SqlUnlogged(stores.database)
        await stop_logging(unlogged, stores.jobs, job_id=job_id, reason=reason, by=operator(), now=_now())

    return await _for_each(job_ids, each, "is tried no more")


async def _log_again(job_ids: list[str]) -> int:
    """How many; raises JobNotFound and NotStopped."""
    from serving.adapters.sql_unlogged import SqlUnlogged
    from serving.usecases.stop_logging import log_again

    async def each(stores: "Stores", job_id: str) -> None:
        await log_again(SqlUnlogged(stores.database), stores.jobs, job_id=job_id, by=operator(), now=_now())

    return await _for_each(job_ids, each, "is due at once")


async def _for_each(job_ids: list[str], do: "Callable[[Stores, str], Awaitable[None]]", done: str) -> int:
    """Up to the first that fails; those before it are done, and said to be."""
    from serving.adapters.stores import open_stores
    from serving.settings import ServingSettings

    async with open_stores(ServingSettings()) as stores:
        for job_id in (once := dict.fromkeys(job_ids)):
            await do(stores, job_id)
            Console(highlight=False).print(f"{job_id} {done}", markup=False)
    return len(once)


async def _dead(limit: int) -> tuple[list[Job], int]:
    """The latest, and how many there are in all."""
    from serving.adapters.stores import open_stores
    from serving.settings import ServingSettings

    async with open_stores(ServingSettings()) as stores:
        return await stores.jobs.dead(None, limit), await stores.jobs.count_dead()


async def _requeue(job_ids: list[str]) -> list[Job]:
    """Those named, or all when none is; raises NotDead."""
    from serving.adapters.blob_stores import open_blobs
    from serving.adapters.stores import open_stores
    from serving.composition import answers_of
    from serving.edge import open_edge
    from serving.settings import ServingSettings
    from serving.usecases.requeue import requeue, requeue_all

    # What a replica lists may be queued again by now, so the database itself is read.
    settings = ServingSettings().model_copy(update={"db_read_connection_string": ""})
    async with open_stores(settings) as stores, open_edge(settings) as edge, open_blobs(settings) as blobs:
        answers = answers_of(stores, blobs, edge.cache, shared=edge.shared)
        if not job_ids:
            return [job async for job in requeue_all(stores.jobs, answers, by=operator(), now=_now())]
        return [await requeue(stores.jobs, answers, job_id=job_id, by=operator(), now=_now()) for job_id in job_ids]


def _now() -> datetime:
    return datetime.now(UTC)
