"""What an evaluation has finished, on disk, so that one that was killed goes on where it was."""

import logging
import re
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from evaluation.record import ArticleResult

logger = logging.getLogger(__name__)


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str


class Journal:
    """One file for each version, set and number of repeats that is under way; a line for each finished article."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}.jsonl"
        self.finished: dict[tuple[str, int], ArticleResult] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.id = self._read() if self._path.exists() else ""
        if not self.id:
            self.id = secrets.token_hex(8)
            self._path.write_text(_Header(id=self.id).model_dump_json() + "\n", encoding="utf-8")

    def add(self, result: ArticleResult) -> None:
        """Notes a finished article."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(result.model_dump_json(exclude_defaults=True) + "\n")

    def remove(self) -> None:
        """Ends the evaluation: the next one of the same begins anew."""
        self._path.unlink()

    def _read(self) -> str:
        """The id that was begun, or nothing where the file says none. A line that a crash tore is left out."""
        head, *lines = self._path.read_text(encoding="utf-8").split("\n")
        try:
            id = _Header.model_validate_json(head).id
        except ValidationError:
            logger.warning("%s has no beginning: the evaluation starts anew", self._path)
            return ""
        whole = [head]
        for line in filter(None, lines):
            try:
                result = ArticleResult.model_validate_json(line)
            except ValidationError:
                logger.warning("a line of %s is torn: its article is evaluated again", self._path)
                continue
            self.finished[result.article, result.repeat] = result
            whole.append(line)
        self._path.write_text("\n".join(whole) + "\n", encoding="utf-8")
        return id
