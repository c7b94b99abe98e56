"""Articles as files named by the hash of their content."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4


class FolderBlobs:
    """Equal bytes are stored once; a file is whole or not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, data: bytes) -> str:
        key = hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(self._write, key, data)
        return key

    async def get(self, key: str) -> bytes | None:
        return await asyncio.to_thread(self._read, key)

    async def older_than(self, moment: datetime) -> AsyncIterator[str]:
        for key in await asyncio.to_thread(self._older_than, moment.timestamp()):
            yield key

    async def delete(self, key: str, *, put_before: datetime) -> bool:
        return await asyncio.to_thread(self._delete, key, put_before.timestamp())

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _write(self, key: str, data: bytes) -> None:
        path = self._path(key)
        if path.exists():
            os.utime(path)  # it is in use again: not to be deleted as old
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{key}.{uuid4().hex}.part")
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)

    def _older_than(self, moment: float) -> list[str]:
        """Also what a killed process left half-written."""
        return [path.name for path in self._folder.glob("??/*") if path.stat().st_mtime < moment]

    def _delete(self, key: str, moment: float) -> bool:
        path = self._path(key)
        if not path.exists() or path.stat().st_mtime >= moment:
            return False
        path.unlink(missing_ok=True)
        return True

    def _read(self, key: str) -> bytes | None:
        path = self._path(key)
        return path.read_bytes() if path.exists() else None
