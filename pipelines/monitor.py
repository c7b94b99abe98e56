"""`copydesk monitor`: what a scheduler runs, to see whether what serves is still what was evaluated."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipelines.canary_settings import ARTICLES, LINE, SPLIT

if TYPE_CHECKING:
    from pipelines.canary import CanaryTerms, Looked
    from registry.connection import Registry

monitor_app = typer.Typer(help="See whether what serves is still what was evaluated.", no_args_is_help=True)


@monitor_app.callback()
def _group() -> None:
    """Keeps the command's name where there is only one."""


@monitor_app.command("canary")
def canary(
    labels: Annotated[
        Path,
        typer.Option(
            "--set",
            envvar="COPYDESK_CANARY_SET",
            help="The labelled set that canaries are taken from, the first time for a champion.",
        ),
    ] = Path("datasets/house"),
    split: Annotated[str, typer.Option(envvar="COPYDESK_CANARY_SPLIT", help="The part of the set.")] = SPLIT,
    count: Annotated[
        int,
        typer.Option(
            "--articles",
            min=1,
            envvar="COPYDESK_CANARY_ARTICLES",
            help="How many, the first time for a champion.",
        ),
    ] = ARTICLES,
    line: Annotated[
        float,
        typer.Option(
            min=0, max=1, envvar="COPYDESK_CANARY_LINE", help="The part of the findings that must be the same as then."
        ),
    ] = LINE,
) -> None:
    """Ask the champion's model again about a few frozen articles, and compare with what it said then.

    Exit code 0: the same, or no model is asked. 1: it changed, and the version's evidence has expired. 3: too few
    findings or too many failures to tell. 2: wrong usage or an error.
    """
    from evaluation.canary import Outcome
    from pipelines.canary import CanaryTerms
    from pipelines.output.canary import print_canaries
    from registry.connection import connect
    from registry.settings import RegistrySettings

    console, registry = Console(highlight=False), connect(RegistrySettings())
    with console.status("Asking the champion's model …"):
        looked = asyncio.run(_looked(registry, CanaryTerms(labels, split, count, line)))
    print_canaries(console, looked)
    codes = {Outcome.SAME: 0, Outcome.CHANGED: 1, Outcome.UNCLEAR: 3}
    raise typer.Exit(codes[looked.scored.outcome] if looked.scored else 0)


async def _looked(registry: "Registry", terms: "CanaryTerms") -> "Looked":
    from agent.endpoint import Endpoint
    from agent.settings import ModelSettings
    from pipelines.canary import look
    from serving.adapters.database import open_database
    from serving.adapters.sql_evidence import SqlEvidence
    from serving.settings import ServingSettings

    settings, endpoint = ServingSettings(), Endpoint(ModelSettings())
    database = await open_database(settings.database_url)
    try:
        return await look(
            registry,
            terms,
            endpoint=endpoint,
            evidence=SqlEvidence(database),
            expires_on=settings.evidence_expires_on,
        )
    finally:
        await endpoint.close()
        await database.close()
