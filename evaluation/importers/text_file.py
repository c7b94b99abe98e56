"""Texts in files of their own, as the tools count them."""

import codecs
from pathlib import Path

from agent.errors import UnsupportedDocument
from agent.formats.encoding import decoded
from evaluation.importers.export import Export, Reason
from evaluation.importers.placing import BYTE_ORDER_MARK


def counted_text(path: Path, place: str, labels: int, export: Export) -> str | None:
    """The text with its own line ends and its byte order mark, which both count; nothing and a reason without it."""
    try:
        data = path.read_bytes()
        text = decoded(data, path.name)
    except (OSError, UnsupportedDocument) as error:
        why = f"{path.name} is missing" if isinstance(error, FileNotFoundError) else str(error)
        export.reject(place, Reason.NO_TEXT, f"{why}; labels: {labels}")
        return None
    return BYTE_ORDER_MARK + text if data.startswith(codecs.BOM_UTF8) else text
