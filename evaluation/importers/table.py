"""A table, CSV: id, text, label, start, end, quote, and annotator, group, title, split where they are wanted.

A row is a label. Its text may stand in any row of its id; a row without label, start and end says that there is
an article, with or without labels.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from evaluation.importers.export import Export, Part, RawDocument, RawSpan, Reason
from evaluation.importers.records import source_text
from evaluation.labels import LabelError

NEEDED = ("id", "text", "label", "start", "end", "quote")
WANTED = ("annotator", "group", "title", "split")
MAX_CELL = 10_000_000  # characters; Python's own limit of 131,072 is under that of an article

Row = dict[str, str]


def read_table(source: Path, _texts: Path | None) -> Export:
    """Raises LabelError. The line of a row is that of its first cell."""
    export = Export()
    rows = list(_rows(source, export))
    texts: dict[str, str] = {}
    firsts: dict[str, Row] = {}
    for _, row in rows:
        if row["text"].strip():
            texts.setdefault(row["id"], row["text"])
    for place, row in rows:
        if text := _text(row, texts, place, export):
            first = firsts.setdefault(row["id"], row)
            group, title, split = (row[name] or first[name] for name in ("group", "title", "split"))
            spans = _spans(place, row, export)
            export.documents.append(
                RawDocument(place, row["id"], text, spans, (row["annotator"],), group, title, split)
            )
    return export


def _rows(source: Path, export: Export) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(source_text(source), newline=""), strict=True)
    begins = 1
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _require_columns(source, names)
        begins = reader.line_num + 1
        for cells in reader:
            place = f"{source.name}:{begins}"
            begins = reader.line_num + 1
            if len(cells) == len(names):
                yield place, _row(names, cells)
            elif cells:
                export.reject(place, Reason.MALFORMED, f"{len(cells)} cells in a table of {len(names)} columns")
    except csv.Error as error:
        raise LabelError(f"{str(source)!r} can't be read as CSV from line {begins}: {error}") from error


def _row(names: list[str], cells: list[str]) -> Row:
    row = dict.fromkeys(WANTED, "") | dict(zip(names, cells, strict=True))
    return {name: cell if name in ("text", "quote") else cell.strip() for name, cell in row.items()}


def _require_columns(source: Path, names: list[str]) -> None:
    if missing := [name for name in NEEDED if name not in names]:
        raise LabelError(f"{str(source)!r} has no column {', '.join(missing)}: its first line names the columns")


def _text(row: Row, texts: Row, place: str, export: Export) -> str:
    if not row["id"]:
        export.reject(place, Reason.MALFORMED, "the row has no id")
        return ""
    text = row["text"] if row["text"].strip() else texts.get(row["id"], "")
    if not text:
        export.reject(place, Reason.NO_TEXT, f"no row of id {row['id']!r} has a text")
    return text


def _spans(place: str, row: Row, export: Export) -> tuple[RawSpan, ...]:
    label, start, end = row["label"], row["start"], row["end"]
    if not (label or start or end):
        return ()
    try:
        part = Part(int(start), int(end))
    except ValueError:
        export.reject(place, Reason.MALFORMED, f"start {start!r} and end {end!r} are not both whole numbers")
        return ()
    return (RawSpan(place, label, (part,), row["quote"] or None, row["annotator"]),)
