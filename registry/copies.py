"""Versions kept on this machine, so that a worker starts while MLflow is down."""

import hashlib
import logging
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from agent.spec import AgentSpec
from registry.version import RegisteredVersion

logger = logging.getLogger(__name__)

Value = TypeVar("Value", bound=BaseModel)


class LocalCopies:
    """Snapshots by digest, and what each number and alias of one MLflow meant when it last answered."""

    def __init__(self, folder: Path, uri: str) -> None:
        self._snapshots = folder
        self._references = folder / hashlib.sha256(uri.encode()).hexdigest()[:16]

    def snapshot(self, digest: str) -> AgentSpec | None:
        """The version of this digest; a damaged copy counts as none."""
        spec = _read(self._snapshots / f"{digest}.json", AgentSpec)
        return spec if spec and spec.digest == digest else None

    def keep_snapshot(self, spec: AgentSpec) -> None:
        _write(self._snapshots / f"{spec.digest}.json", spec)

    def reference(self, ref: str) -> RegisteredVersion | None:
        return _read(self._references / f"{ref}.json", RegisteredVersion)

    def keep_reference(self, ref: str, version: RegisteredVersion) -> None:
        _write(self._references / f"{ref}.json", version)

    def champion(self, kind: type[Value]) -> Value | None:
        return _read(self._references / "champion-record.json", kind)

    def keep_champion(self, found: BaseModel) -> None:
        _write(self._references / "champion-record.json", found)

    def reign(self, number: int, kind: type[Value]) -> Value | None:
        return _read(self._references / f"reign-{number}.json", kind)

    def keep_reign(self, number: int, found: BaseModel) -> None:
        _write(self._references / f"reign-{number}.json", found)


def _read(path: Path, kind: type[Value]) -> Value | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        logger.warning("the local copy %s can't be used: %s", path, error)
        return None


def _write(path: Path, value: BaseModel) -> None:
    """Writes whole or not at all. A copy is a convenience: a full disk is logged and goes on."""
    draft = path.with_name(f"{path.name}.{uuid4().hex}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(value.model_dump_json(), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        logger.warning("no local copy of a version in %s: %s", path, error)
