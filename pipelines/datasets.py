"""`copydesk datasets`: labelled sets. Imports stand inside the commands, because they take seconds."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

datasets_app = typer.Typer(help="Validate labelled sets.", no_args_is_help=True)


@datasets_app.command()
def validate(
    labels: Annotated[Path, typer.Argument(metavar="SET", help="A labelled set: a .jsonl file, or a folder of them.")],
    pack: Annotated[
        Path | None, typer.Option("--pack", help="A folder of guideline files; the pack `house` without it.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write an HTML page, too.")] = None,
    log: Annotated[bool, typer.Option("--log", help="Log the validation to MLflow.")] = False,
) -> None:
    """Check a labelled set: ids, texts, labels, spans, balance, and what leaks between its splits.

    Exit code 0: sound, perhaps with warnings. 1: not sound, no evaluation runs on it. 2: wrong usage, or it can't be
    read.
    """
    from pipelines.validate import run_validation

    raise typer.Exit(run_validation(labels, pack, Console(highlight=False), out, log))
