"""JSON of an export into checked values; each mistake is kept with its place."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import UnsupportedDocument
from agent.formats.encoding import decoded
from evaluation.importers.export import Export, Reason
from evaluation.labels import LabelError


class Record(BaseModel):
    """What we read of a record; tools write more fields into it than we need."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


Value = TypeVar("Value", bound=BaseModel)


def source_text(path: Path) -> str:
    """A file of an export, without a byte order mark. Raises LabelError."""
    try:
        return decoded(path.read_bytes(), path.name)
    except (OSError, UnsupportedDocument) as error:
        raise LabelError(f"{str(path)!r} can't be read: {error}") from error


def files_of(source: Path, *endings: str) -> list[Path]:
    """The file itself, or all of a folder with these endings. Raises LabelError when there are none."""
    if not source.is_dir():
        return [source]
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in endings and path.is_file())
    if not files:
        raise LabelError(f"{str(source)!r} has no {' or '.join(endings)} files: name the export")
    return files


def json_lines(path: Path, export: Export) -> Iterator[tuple[str, Any]]:
    """Place and value of each line; one that is no JSON is rejected."""
    for number, line in enumerate(source_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path.name}:{number}"
        try:
            yield place, json.loads(line)
        except ValueError as error:
            export.reject(place, Reason.MALFORMED, f"the line is no JSON: {error}")


def valid(kind: type[Value], value: object, place: str, export: Export) -> Value | None:
    """The value, or nothing and a reason for it."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        shown = json.dumps(value, ensure_ascii=False)[:80]
        export.reject(place, Reason.MALFORMED, f"{where or 'record'}: {first['msg']}: {shown}")
        return None


def id_of_text(text: str) -> str:
    """An id for a text that has none: the same text is the same document."""
    return f"text-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:12]}"
