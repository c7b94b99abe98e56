"""`copydesk datasets`: labelled sets. Imports stand inside the commands, because they take seconds."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evaluation.importers.export import ExportFormat, OffsetUnit
from pipelines.options import PackOption, PageOption

datasets_app = typer.Typer(help="Labelled sets: build, validate, import, agreement.", no_args_is_help=True)


@datasets_app.command()
def validate(
    labels: Annotated[Path, typer.Argument(metavar="SET", help="A labelled set: a .jsonl file, or a folder of them.")],
    pack: PackOption = None,
    out: PageOption = None,
    log: Annotated[bool, typer.Option("--log", help="Log the validation to MLflow.")] = False,
) -> None:
    """Check a labelled set: ids, texts, labels, spans, balance, and what leaks between its splits.

    Exit code 0: sound, perhaps with warnings. 1: not sound, no evaluation runs on it. 2: wrong usage, or it can't be
    read.
    """
    from pipelines.validate import run_validation

    raise typer.Exit(run_validation(labels, pack, Console(highlight=False), out, log))


@datasets_app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="A folder with recipe.yaml, articles/ and plants/.")],
    pack: PackOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the files are what the folder makes.")
    ] = False,
) -> None:
    """Build a labelled set: clean articles with violations and hard negatives planted in them.

    Exit code 2: a mistake in the folder, or, with --check, files that are not what it makes.
    """
    from pipelines.agent_spec import pack_of
    from pipelines.build_set import build_set

    build_set(folder, pack_of(pack), Console(highlight=False), check=check)


@datasets_app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(exists=True, help="The export: a file, or a folder of them.")],
    format: Annotated[ExportFormat, typer.Option("--from", help="What it is an export of.")],
    to: Annotated[Path, typer.Option("--to", metavar="OUT.jsonl", help="The labelled set to write.")],
    texts: Annotated[
        Path | None, typer.Option(help="Folder of the texts, for ptc and brat; beside the labels without it.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="YAML, label: guideline-id; without it labels are guidelines' ids.")
    ] = None,
    unit: Annotated[
        OffsetUnit | None, typer.Option("--offset-unit", help="What offsets count; the format's own without it.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split of articles whose export says none.")] = "dev",
    annotator: Annotated[str, typer.Option(help="Who made the labels of which the export doesn't say it.")] = "",
    language: Annotated[str, typer.Option(help="Language of the articles (BCP 47).")] = "en",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.jsonl.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Write nothing when anything is bad.")] = False,
) -> None:
    """Import labels of an annotation tool or a corpus; each one that is bad is reported with its place.

    Exit code 0: written. 1: something is bad, with --strict. 2: wrong usage, or nothing that can be read.
    """
    from evaluation.importers.formats import FORMATS
    from pipelines.import_labels import import_labels

    if texts is not None and not FORMATS[format].texts_apart:
        raise typer.BadParameter(f"--texts is for ptc and brat: an export of {format} has its texts in it")
    code = import_labels(
        source,
        to,
        Console(highlight=False),
        format=format,
        texts=texts,
        mapping=mapping,
        unit=unit,
        split=split,
        annotator=annotator,
        language=language,
        force=force,
        strict=strict,
    )
    raise typer.Exit(code)


@datasets_app.command()
def agreement(
    labels: Annotated[Path, typer.Argument(metavar="SET", help="A labelled set: a .jsonl file, or a folder of them.")],
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
) -> None:
    """Say how far annotators agree: Krippendorff's alpha on sentences, and F1 between them, by guideline."""
    from pipelines.agreement import show_agreement

    show_agreement(labels, split, Console(highlight=False))


@datasets_app.command("next")
def label_next(
    files: Annotated[list[Path], typer.Argument(help="Unlabelled articles.")],
    champion: Annotated[str, typer.Option(help="A version's number or alias.")] = "champion",
    challenger: Annotated[str, typer.Option(help="The version it is compared with.")] = "challenger",
    top: Annotated[int, typer.Option(min=1, help="How many to show.")] = 20,
) -> None:
    """Say which unlabelled articles to label next: those on which two versions disagree."""
    from pipelines.evaluate import open_registry
    from pipelines.label_next import show_next

    show_next(open_registry(), champion, challenger, files, top, Console(highlight=False))
