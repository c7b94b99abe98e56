"""`copydesk monitor`: what a scheduler runs, to see whether what serves is still what was evaluated."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.options import SplitOption

monitor_app = typer.Typer(help="See whether what serves is still what was evaluated.", no_args_is_help=True)


@monitor_app.callback()
def _group() -> None:
    """Keeps the command's name where there is only one."""


@monitor_app.command("canary")
def canary(
    labels: Annotated[
        Path,
        typer.Option("--set", help="The labelled set that canaries are taken from, the first time for a champion."),
    ] = Path("datasets/house"),
    split: SplitOption = "test",
    count: Annotated[int, typer.Option("--articles", min=1, help="How many are taken.")] = 20,
    line: Annotated[
        float, typer.Option(min=0, max=1, help="The part of the findings that must be the same as then.")
    ] = 0.8,
) -> None:
    """Ask the champion's model again about a few frozen articles, and compare with what it said then.

    Exit code 0: the same, or no model is asked. 1: it changed, and the version's evidence has expired. 3: too few
    findings or too many failures to tell. 2: wrong usage or an error.
    """
    from pipelines.canary import score_canaries

    raise typer.Exit(score_canaries(Console(highlight=False), labels=labels, split=split, count=count, line=line))
