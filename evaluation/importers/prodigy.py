"""Prodigy, `db-out`, JSONL. Only what was accepted; the records of one text are one document."""

from pathlib import Path
from typing import Any

from evaluation.importers.export import Export, Part, RawDocument, RawSpan, Reason
from evaluation.importers.records import Record, files_of, id_of_text, json_lines, valid


class _Task(Record):
    text: str
    spans: list[Any] | None = None
    answer: str = ""
    input_hash: int | None = None
    annotator: str = ""
    session: str = ""


class _Span(Record):
    start: int
    end: int
    label: str
    text: str | None = None


_OURS = {"_input_hash": "input_hash", "_annotator_id": "annotator", "_session_id": "session"}


def read_prodigy(source: Path, _texts: Path | None) -> Export:
    """Raises LabelError."""
    export = Export()
    for file in files_of(source, ".jsonl"):
        for place, value in json_lines(file, export):
            if task := valid(_Task, _renamed(value), place, export):
                _take(task, place, export)
    return export


def _renamed(value: object) -> object:
    """With names that begin with a letter, and without what is null."""
    if not isinstance(value, dict):
        return value
    return {_OURS.get(name, name): field for name, field in value.items() if field is not None}


def _take(task: _Task, place: str, export: Export) -> None:
    spans = task.spans or []
    if task.answer != "accept":
        said = f"its answer is {task.answer or 'missing'!r}, spans: {len(spans)}"
        export.reject(place, Reason.NOT_ACCEPTED, said)
        return
    annotator = task.annotator or task.session
    found = [one for one in (valid(_Span, span, place, export) for span in spans) if one]
    raw = (RawSpan(place, span.label, (Part(span.start, span.end),), span.text, annotator) for span in found)
    id = id_of_text(task.text) if task.input_hash is None else str(task.input_hash)
    export.documents.append(RawDocument(place, id, task.text, tuple(raw), (annotator,)))
