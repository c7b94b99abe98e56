"""Exports as files, and what is imported from them."""

from pathlib import Path

from evaluation.importers.export import BadSpan, ExportFormat, OffsetUnit, Reason
from evaluation.importers.formats import FORMATS
from evaluation.importers.label_map import LabelMap
from evaluation.importers.labelling import Defaults, Import, labelled_articles


def files(folder: Path, contents: dict[str, str | bytes]) -> Path:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def imported(
    name: str,
    source: Path,
    *,
    labels: LabelMap | None = None,
    texts: Path | None = None,
    unit: OffsetUnit | None = None,
    annotator: str = "",
) -> Import:
    chosen = FORMATS[ExportFormat(name)]
    defaults = Defaults(unit=unit or chosen.unit, annotator=annotator)
    return labelled_articles(chosen.read(source, texts), labels or LabelMap(), defaults)


def spans(found: Import) -> list[tuple[str, str, str]]:
    """Document, guideline and quote of each label."""
    return [(article.id, span.guideline, span.quote) for article in found.articles for span in article.spans]


def by_annotator(found: Import) -> list[tuple[str, str, str]]:
    """Document, annotator and quote of each label."""
    return [(article.id, span.annotator, span.quote) for article in found.articles for span in article.spans]


def bad(found: Import) -> list[tuple[str, Reason]]:
    return [(one.place, one.reason) for one in found.bad]


def said(found: Import) -> str:
    one: BadSpan = found.bad[0]
    return one.said
