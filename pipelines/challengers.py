"""Commands of whoever makes a version: register it, measure it, and have a gate decide on it.

Imports stand inside the commands, because they take seconds.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.options import (
    LabelsOption,
    ModelOption,
    PackOption,
    PageOption,
    PolicyOption,
    SplitOption,
    VersionOption,
)

challengers_app = typer.Typer()


@challengers_app.command()
def register(
    pack: PackOption = None,
    model: ModelOption = "",
    settings: VersionOption = None,
) -> None:
    """Register the guidelines as MLflow prompts and the agent as a model version, alias challenger."""
    from pipelines.register import register_files

    register_files(pack, model, settings or (), Console(highlight=False))


@challengers_app.command()
def evaluate(
    labels: Annotated[Path, typer.Option("--set", help="A labelled set: a .jsonl file, or a folder of them.")],
    version: Annotated[
        str | None, typer.Option(help="A registered version: its number, champion or challenger; without it, files.")
    ] = None,
    pack: PackOption = None,
    model: ModelOption = "",
    options: VersionOption = None,
    split: SplitOption = "test",
    repeats: Annotated[int, typer.Option(min=1, help="How often each article is checked.")] = 1,
    at_once: Annotated[int, typer.Option(min=1, help="Articles under way together.")] = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the HTML report here, too.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table as Markdown.")] = None,
) -> None:
    """Evaluate a version on a labelled set: recall, false alarms and more, with intervals; logged to MLflow.

    One that was interrupted goes on where it was.
    """
    from pipelines.evaluate import choose, open_registry, run_evaluation

    if version is not None and (pack or model or options):
        raise typer.BadParameter("--version excludes --pack, --model and --option: a version brings its own")
    registry = open_registry()
    run_evaluation(
        choose(registry, version, pack, model, options or ()),
        labels,
        split=split,
        repeats=repeats,
        at_once=at_once,
        registry=registry,
        console=Console(highlight=False),
        out=out,
        markdown=markdown,
    )


@challengers_app.command()
def compare(
    a: Annotated[str, typer.Argument(help="A version's number or alias, or the MLflow run of an evaluation.")],
    b: Annotated[str, typer.Argument(help="What it is compared with.")],
    labels: LabelsOption = None,
    split: SplitOption = "test",
    out: PageOption = None,
) -> None:
    """Compare two versions on the same labelled articles: what changed, by guideline."""
    from pipelines.evaluate import open_registry
    from pipelines.gate import compare_versions

    compare_versions(open_registry(), a, b, labels, split, Console(highlight=False), out)


@challengers_app.command()
def gate(
    challenger: Annotated[
        str, typer.Option(help="The version that wants to serve: number, alias, or run of an evaluation.")
    ] = "challenger",
    champion: Annotated[
        str | None, typer.Option(help="The version it is held against; without it the champion, if there is one.")
    ] = None,
    policy: PolicyOption = None,
    labels: LabelsOption = None,
    split: SplitOption = "test",
    markdown: Annotated[Path | None, typer.Option(help="Write the decision as Markdown, for a pull request.")] = None,
    out: PageOption = None,
) -> None:
    """Decide by a policy whether a challenger may serve; the decision is kept in MLflow.

    Exit code 0: PROMOTE. 1: BLOCK. 3: INCONCLUSIVE, not enough data. 2: wrong usage or an error.
    """
    from pipelines.evaluate import open_registry
    from pipelines.gate import policy_of, run_gate

    raise typer.Exit(
        run_gate(
            open_registry(),
            champion,
            challenger,
            policy_of(policy),
            labels,
            split,
            Console(highlight=False),
            markdown=markdown,
            out=out,
        )
    )


@challengers_app.command()
def judge(
    run: Annotated[str, typer.Option(help="The MLflow run of an evaluation of a version with a model.")],
    labels: Annotated[Path, typer.Option("--set", help="The labelled set it was evaluated on.")],
    pack: Annotated[
        Path | None, typer.Option(help="The folder of guidelines it was evaluated with; not needed when registered.")
    ] = None,
    size: Annotated[int, typer.Option("--sample", min=1, help="Findings to judge, drawn at random.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 7,
    calibration: Annotated[
        Path | None, typer.Option(help="Findings that a person has labelled good or bad, to hold the judge against.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the judged sample, JSON Lines.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write the sample without the judge's verdicts, for a person to label.")
    ] = None,
) -> None:
    """Ask a judge, a language model at COPYDESK_JUDGE_URL, about a version's findings. No gate reads its figures."""
    from pipelines.evaluate import open_registry
    from pipelines.judge import run_judge

    run_judge(
        open_registry(),
        run,
        labels,
        Console(highlight=False),
        pack=pack,
        size=size,
        seed=seed,
        calibration=calibration,
        out=out,
        sheet=sheet,
    )
