"""doccano, sequence labelling, JSONL: `label: [[start, end, name]]`, or `entities` with relations.

A folder is what doccano exports where annotators don't share their labels: a file an annotator, of their name.
"""

from pathlib import Path
from typing import Any

from pydantic import Field

from evaluation.importers.export import Export, Part, RawDocument, RawSpan, Reason
from evaluation.importers.records import Record, files_of, id_of_text, json_lines, valid


class _Document(Record):
    id: int | str | None = None
    text: str
    label: list[Any] = Field(default_factory=list)
    labels: list[Any] = Field(default_factory=list)  # doccano before 1.3
    entities: list[Any] = Field(default_factory=list)
    relations: list[Any] = Field(default_factory=list)


class _Entity(Record):
    label: str
    start: int = Field(alias="start_offset")
    end: int = Field(alias="end_offset")
    text: str | None = None


def read_doccano(source: Path, _texts: Path | None) -> Export:
    """Raises LabelError."""
    export = Export()
    for file in files_of(source, ".jsonl"):
        annotator = file.stem if source.is_dir() else ""
        for place, value in json_lines(file, export):
            if document := valid(_Document, value, place, export):
                export.documents.append(_raw(document, place, annotator, export))
    return export


def _raw(document: _Document, place: str, annotator: str, export: Export) -> RawDocument:
    spans = []
    for entity in (*_triples(document, place, export), *document.entities):
        if found := valid(_Entity, entity, place, export):
            part = Part(found.start, found.end)
            spans.append(RawSpan(place, found.label, (part,), found.text, annotator))
    if document.relations:
        export.left_out["relations"] += len(document.relations)
    id = id_of_text(document.text) if document.id is None else str(document.id)
    return RawDocument(place, id, document.text, tuple(spans), (annotator,))


def _triples(document: _Document, place: str, export: Export) -> list[dict[str, object]]:
    """`[start, end, name]`, with the quote as a fourth where someone added it, as entities."""
    entities = []
    for label in (*document.label, *document.labels):
        if isinstance(label, list) and len(label) in (3, 4):
            entities.append(dict(zip(("start_offset", "end_offset", "label", "text"), label, strict=False)))
        else:
            export.reject(place, Reason.MALFORMED, f"label {label!r} is not [start, end, name]")
    return entities
