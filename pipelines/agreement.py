"""`copydesk datasets agreement`: how far a set's annotators agree."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.agreement import Agreement, agreement
from evaluation.labels import read_labels
from pipelines.output.evaluation import interval


def show_agreement(path: Path, split: str | None, console: Console) -> None:
    """Raises LabelError."""
    labelled = read_labels(path)
    print_agreement(console, agreement(labelled.of_split(split) if split else labelled), len(labelled.articles))


def print_agreement(console: Console, found: Agreement, articles: int) -> None:
    console.print(
        Text(f"Agreement on {found.articles:,} of {articles:,} articles, which two or more have read", "bold")
    )
    console.print()
    table = _table("Guideline", "Sentences", "Labels", "Alpha", "F1, overlap", "F1, exact")
    for one in found.guidelines:
        shown = "–" if one.alpha is None else f"{one.alpha:.3f}"
        table.add_row(
            one.guideline,
            f"{one.sentences:,}",
            f"{one.labels:,}",
            shown,
            interval(one.match.overlap),
            interval(one.match.exact),
        )
    console.print(table)
    console.print()
    pairs = _table("Annotators", "Articles", "F1, overlap", "F1, exact")
    for pair in found.pairs:
        names = f"{pair.one} and {pair.other}"
        pairs.add_row(Text(names), f"{pair.articles:,}", interval(pair.match.overlap), interval(pair.match.exact))
    console.print(pairs)
    console.print(
        "\nAlpha is Krippendorff's, nominal, on sentences: 1 is full agreement, 0 what chance gives. F1 is of one "
        "annotator's spans against another's, with 95 % intervals over groups.",
        style="dim",
        soft_wrap=True,
    )


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first)
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table
