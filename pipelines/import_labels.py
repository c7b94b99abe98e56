"""`copydesk datasets import`: an export of an annotation tool or a corpus becomes a labelled set."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.importers.export import UNIT_NAMES, BadSpan, ExportFormat, OffsetUnit
from evaluation.importers.formats import FORMATS
from evaluation.importers.label_map import LabelMap, read_label_map
from evaluation.importers.labelling import Defaults, Import, labelled_articles
from evaluation.labels import LabelError, LabelledSet, write_labels


def import_labels(
    source: Path,
    out: Path,
    console: Console,
    *,
    format: ExportFormat,
    texts: Path | None = None,
    mapping: Path | None = None,
    unit: OffsetUnit | None = None,
    split: str = "dev",
    annotator: str = "",
    language: str = "en",
    force: bool = False,
    strict: bool = False,
) -> int:
    """Reads, writes and reports; returns the exit code. Raises LabelError."""
    if out.exists() and not force:
        raise LabelError(f"{str(out)!r} is there already: name another file, or overwrite it with --force")
    chosen = FORMATS[format]
    defaults = Defaults(unit or chosen.unit, split, annotator, language, provenance=f"annotated ({format})")
    labels = read_label_map(mapping) if mapping else LabelMap()
    imported = labelled_articles(chosen.read(source, texts), labels, defaults)
    print_import(console, imported, defaults.unit)
    if not imported.articles:
        raise LabelError(f"{str(source)!r} has no article that can be imported as {format}: nothing was written")
    if imported.bad and strict:
        console.print(f"\nNothing was written, because of --strict: {len(imported.bad):,} bad.")
        return 1
    write_labels(LabelledSet(name=out.stem, articles=imported.articles), out)
    console.print(f"\nWritten to {out}", soft_wrap=True)
    return 0


def print_import(console: Console, imported: Import, unit: OffsetUnit) -> None:
    """How much there is, what was left out on purpose, and each thing that is bad, with its place."""
    articles = imported.articles
    spans = [span for article in articles for span in article.spans]
    without = sum(1 for article in articles if not article.spans)
    console.print(
        Text(
            f"{_counted(len(articles), 'article')}, {without:,} without labels; {_counted(len(spans), 'label')}", "bold"
        )
    )
    console.print(Text(f"Offsets were read as {UNIT_NAMES[unit]}", "dim"))
    _print_counts(console, "Guideline", Counter(span.guideline for span in spans))
    _print_counts(console, "Annotator", Counter(span.annotator for span in spans if span.annotator))
    _print_counts(console, "Left out on purpose", imported.left_out)
    _print_counts(console, "Bad, not imported", Counter(str(bad.reason) for bad in imported.bad))
    if imported.bad:
        console.print()
    for bad in imported.bad:
        console.print(_line(bad), soft_wrap=True)


def _print_counts(console: Console, title: str, counts: Counter[str]) -> None:
    if not counts:
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(title)
    table.add_column("Count", justify="right")
    for name, count in counts.most_common():
        table.add_row(Text(name), f"{count:,}")
    console.print()
    console.print(table)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _line(bad: BadSpan) -> Text:
    return Text.assemble(f"{bad.place}: ", (str(bad.reason), "yellow"), f": {bad.said}")
