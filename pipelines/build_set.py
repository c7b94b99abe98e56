"""Makes a labelled set of a folder of clean articles and plants."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.errors import CopydeskError
from agent.guideline import GuidelinePack
from evaluation.labels import LabelledSet, json_schema, read_labels, write_labels
from evaluation.planting import plant_set, read_recipe

SCHEMA = "schema.json"


class SetStale(CopydeskError):
    """A labelled set isn't what its folder makes."""

    type = "set-stale"


def build_set(folder: Path, pack: GuidelinePack, console: Console, *, check: bool = False) -> None:
    """Writes SPLIT.jsonl for each split and the schema of their lines; with `check` only compares.

    Raises PlantError, and SetStale when `check` finds a difference.
    """
    made = plant_set(folder, pack.by_id, read_recipe(folder))
    splits = list(dict.fromkeys(article.split for article in made.articles))
    if check:
        written = read_labels(folder)
        if written.digest != made.digest:
            raise SetStale(
                f"{folder} makes set {made.digest[:12]}, its files hold {written.digest[:12]}: "
                "run `copydesk datasets build` again"
            )
    else:
        for split in splits:
            write_labels(made.of_split(split), folder / f"{split}.jsonl")
        (folder / SCHEMA).write_text(json_schema(), encoding="utf-8")
    console.print(_table(made, splits))


def _table(made: LabelledSet, splits: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Split")
    for name in ("Articles", "Groups", "Words", "Violations", "Hard negatives", "Digest"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in _rows(made, splits):
        table.add_row(*row)
    return table


def _rows(made: LabelledSet, splits: list[str]) -> Iterator[tuple[str, ...]]:
    for split in splits:
        part = made.of_split(split)
        yield (
            split,
            f"{len(part.articles):,}",
            f"{len({article.group for article in part.articles}):,}",
            f"{sum(article.article.words for article in part.articles):,}",
            f"{sum(len(article.spans) for article in part.articles):,}",
            f"{sum(len(article.negatives) for article in part.articles):,}",
            part.digest[:12],
        )
