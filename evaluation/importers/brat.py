"""brat: a .txt and an .ann of the same name. A label may have several parts: `10812 10831;10888 10924`."""

import re
from pathlib import Path

from evaluation.importers.export import Export, Part, RawDocument, RawSpan, Reason
from evaluation.importers.records import source_text
from evaluation.importers.text_file import counted_text
from evaluation.labels import LabelError

_PLACE = re.compile(r"(?P<label>\S+) (?P<parts>-?\d+ -?\d+(?:;-?\d+ -?\d+)*)")
_OTHERS = {
    "R": "relations",
    "*": "relations",
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "normalisations",
    "#": "notes",
}


def read_brat(source: Path, texts: Path | None) -> Export:
    """Reads an .ann file, or those of a folder and the folders in it. Raises LabelError."""
    export = Export()
    home = source if source.is_dir() else source.parent
    files = sorted(source.rglob("*.ann")) if source.is_dir() else [source]
    if not files:
        raise LabelError(f"{str(source)!r} has no .ann files: name brat's folder")
    for file in files:
        name = file.relative_to(home).with_suffix("")
        _take(file, name.as_posix(), (texts or home) / name.with_suffix(".txt"), export)
    if source.is_dir():
        _count_unlabelled(source, files, export)
    return export


def _take(file: Path, id: str, text_file: Path, export: Export) -> None:
    spans = _spans(file, f"{id}.ann", export)
    text = counted_text(text_file, f"{id}.ann", len(spans), export)
    if text is not None:
        export.documents.append(RawDocument(f"{id}.ann", id, text, tuple(spans)))


def _spans(file: Path, name: str, export: Export) -> list[RawSpan]:
    spans = []
    for number, line in enumerate(source_text(file).split("\n"), start=1):
        if not (line := line.rstrip("\r")).strip():
            continue
        place = f"{name}:{number}"
        if not line.startswith("T"):
            if other := _OTHERS.get(line[0]):
                export.left_out[other] += 1
            else:
                export.reject(place, Reason.MALFORMED, f"{line[:60]!r} is no line of brat's")
            continue
        fields = line.split("\t", 2)
        found = _PLACE.fullmatch(fields[1]) if len(fields) == 3 else None
        if found is None:
            export.reject(place, Reason.MALFORMED, f"{line[:60]!r} is not T1<TAB>label start end<TAB>words")
            continue
        parts = (Part(*map(int, part.split())) for part in found["parts"].split(";"))
        spans.append(RawSpan(place, found["label"], tuple(parts), fields[2]))
    return spans


def _count_unlabelled(folder: Path, files: list[Path], export: Export) -> None:
    """brat shows no text without an .ann file: nobody has looked at it."""
    labelled = {file.with_suffix(".txt") for file in files}
    if count := sum(1 for text in folder.rglob("*.txt") if text not in labelled):
        export.left_out["texts without an .ann file"] += count
