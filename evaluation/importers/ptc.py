"""The corpora of SemEval's propaganda tasks (PTC): `id <TAB> label <TAB> start <TAB> end`, and article<id>.txt.

With one file of labels, an article of the folder that it doesn't name has none. With a folder of label files, an
article without a file of its own was not labelled.
"""

import re
from collections import defaultdict
from pathlib import Path

from evaluation.importers.export import Export, Part, RawDocument, RawSpan, Reason
from evaluation.importers.records import source_text
from evaluation.importers.text_file import counted_text
from evaluation.labels import LabelError

_ARTICLE = re.compile(r"article(?P<id>.+)")
_LABEL_FILE = re.compile(r"article(?P<id>[^.]+)\..*(?:labels|tsv).*")


def read_ptc(source: Path, texts: Path | None) -> Export:
    """Raises LabelError."""
    export = Export()
    folder = texts or (source if source.is_dir() else source.parent)
    if not folder.is_dir():
        raise LabelError(f"{str(folder)!r} is no folder: name that of the texts with --texts")
    known = {found["id"] for path in folder.glob("article*.txt") if (found := _ARTICLE.fullmatch(path.stem))}
    files = _label_files(source)
    spans: dict[str, list[RawSpan]] = defaultdict(list)
    for file in files:
        for span_of, span in _spans(file, export):
            spans[span_of].append(span)
    named = {found["id"] for file in files if (found := _LABEL_FILE.fullmatch(file.name))}
    wanted = (named if source.is_dir() else known) | set(spans)
    for id in sorted(wanted):
        found_spans = tuple(spans[id])
        place = found_spans[0].place if found_spans else f"article{id}.txt"
        text = counted_text(folder / f"article{id}.txt", place, len(found_spans), export)
        if text is not None:
            export.documents.append(RawDocument(place, id, text, found_spans))
    if unlabelled := known - wanted:
        export.left_out["texts without a file of labels"] += len(unlabelled)
    return export


def _label_files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    files = sorted(path for path in source.iterdir() if _LABEL_FILE.fullmatch(path.name) and path.is_file())
    if not files:
        raise LabelError(f"{str(source)!r} has no files of labels, such as article1.labels.tsv: name the export")
    return files


def _spans(file: Path, export: Export) -> list[tuple[str, RawSpan]]:
    spans = []
    for number, line in enumerate(source_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{file.name}:{number}"
        try:
            id, label, start, end = line.strip().split("\t")
            spans.append((id, RawSpan(place, label, (Part(int(start), int(end)),))))
        except ValueError:
            said = f"{line.strip()[:60]!r} is not id<TAB>label<TAB>start<TAB>end"
            export.reject(place, Reason.MALFORMED, said)
    return spans
