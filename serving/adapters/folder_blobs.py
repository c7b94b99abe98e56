"""Articles as files named by the hash of their content."""

import asyncio
import hashlib
import math
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from agent.formats.reading import must_fit
from serving.errors import BlobStoreUnavailable
from serving.inbox import INBOX


class FolderBlobs:
    """Equal bytes are stored once; a file is whole or not there. A full or unreadable disk is BlobStoreUnavailable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, data: bytes) -> str:
        key = hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(self._write, key, data)
        return key

    async def get(self, key: str) -> bytes | None:
        return await asyncio.to_thread(self._read, key)

    async def incoming(self, name: str) -> bytes | None:
        return await asyncio.to_thread(self._read_incoming, name)

    async def older_than(self, moment: datetime) -> AsyncIterator[str]:
        for key in await asyncio.to_thread(self._older_than, moment.timestamp()):
            yield key

    async def delete(self, key: str, *, put_before: datetime) -> bool:
        return await asyncio.to_thread(self._delete, key, put_before.timestamp())

    def _path(self, key: str) -> Path:
        return self._folder / key if key.startswith(INBOX) else self._folder / key[:2] / key

    @contextmanager
    def _outages(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BlobStoreUnavailable(
                f"articles can't be stored in or read from the service's folder ({error.strerror}): nothing was lost, "
                "try again in a moment"
            ) from error

    def _write(self, key: str, data: bytes) -> None:
        with self._outages():
            self._write_file(key, data)

    def _write_file(self, key: str, data: bytes) -> None:
        path = self._path(key)
        if path.exists():
            os.utime(path)  # it is in use again: not to be deleted as old
            return
        is_new = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{key}.{uuid4().hex}.part")
        try:
            with part.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
            _sync(path.parent)
            if is_new:
                _sync(self._folder)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def _older_than(self, moment: float) -> list[str]:
        """Also what a killed process left half-written."""
        with self._outages():
            articles = [path.name for path in self._folder.glob("??/*") if _changed(path) < moment]
            incoming = [path for path in (self._folder / INBOX).rglob("*") if path.is_symlink() or not path.is_dir()]
            old = [path for path in incoming if _changed(path) < moment]
            return articles + [path.relative_to(self._folder).as_posix() for path in old]

    def _delete(self, key: str, moment: float) -> bool:
        path = self._path(key)
        if not os.path.lexists(path) or path.lstat().st_mtime >= moment:
            return False
        path.unlink(missing_ok=True)
        return True

    def _read(self, key: str) -> bytes | None:
        path = self._path(key)
        with self._outages():
            return path.read_bytes() if path.exists() else None

    def _read_incoming(self, name: str) -> bytes | None:
        with self._outages():
            return self._read_file(name)

    def _read_file(self, name: str) -> bytes | None:
        path, inbox = (Path(os.path.realpath(self._folder / part)) for part in (name, INBOX))
        # A link must not lead out of the inbox, and reading a pipe would not end.
        if not path.is_relative_to(inbox) or not path.is_file():
            return None
        must_fit(name, path.stat().st_size)
        return path.read_bytes()


def _changed(path: Path) -> float:
    """When a file was last put; what has gone meanwhile is never old."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return math.inf


def _sync(folder: Path) -> None:
    """A file's name is kept by its folder: without this a power cut may take an article that was accepted."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
