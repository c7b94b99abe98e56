"""Commands of whoever has articles: check them, and check a recorded one again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.options import ModelOption, PackOption, VersionOption
from pipelines.output import OutputFormat
from pipelines.terminal import err

articles_app = typer.Typer()


@articles_app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Articles: .txt, .md, .html or .docx; - for standard input.")],
    pack: PackOption = None,
    version: Annotated[
        str | None, typer.Option(help="A registered version instead of files: its number, or champion.")
    ] = None,
    guideline: Annotated[
        list[str] | None, typer.Option("--guideline", "-g", help="Check only this guideline; can be given again.")
    ] = None,
    format: Annotated[OutputFormat, typer.Option(help="What to write.")] = OutputFormat.TEXT,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to a file instead.")] = None,
    fail_under: Annotated[float, typer.Option(min=0, max=100, help="Exit with 1 under this score.")] = 0.0,
    stdin_name: Annotated[
        str, typer.Option(help="What standard input is, by a file name: post.md for Markdown.")
    ] = "standard-input.txt",
    language: Annotated[
        str, typer.Option(help="Language of the articles (BCP 47); without it, what they say or are found to be.")
    ] = "",
    model: ModelOption = "",
    settings: VersionOption = None,
    record: Annotated[
        Path | None, typer.Option(help="A folder for recordings, one an article, for `copydesk replay`.")
    ] = None,
) -> None:
    """Check articles: findings on exact words, a score, and what it is made of.

    Exit code 0: no breach, and the score is at the line or above. 1: a breach, a score under it, or nothing could be
    checked. 2: a file couldn't be read, or wrong usage.
    """
    from pipelines.check import check_files, choose_agent, exit_code, write

    if pack is not None and version is not None:
        raise typer.BadParameter("--pack and --version exclude each other: a version brings its own pack")
    if (model or settings) and version is not None:
        given = "--model" if model else "--option"
        raise typer.BadParameter(
            f"{given} and --version exclude each other: a version brings its own model and options"
        )
    sheets = check_files(
        files,
        choose_agent(pack, version, model, settings or ()),
        guidelines=tuple(guideline) if guideline else None,
        language=language,
        stdin_name=stdin_name,
        progress=err,
        record=record,
    )
    write(sheets, format, out)
    raise typer.Exit(exit_code(sheets, fail_under))


@articles_app.command()
def replay(
    run: Annotated[str, typer.Argument(help="A file written by `check --record`, or the id of a recorded MLflow run.")],
    format: Annotated[OutputFormat, typer.Option(help="What to write of the report.")] = OutputFormat.TEXT,
) -> None:
    """Check a recorded article again, offline, by the recorded version and answers.

    Exit code 0: the same report. 1: another one. 2: the recording can't be replayed.
    """
    from pipelines.replay import replay_run

    raise typer.Exit(replay_run(run, format, Console(highlight=False)))
