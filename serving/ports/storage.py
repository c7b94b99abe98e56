"""Articles, what is kept for a time only, and what is kept ready."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol


class BlobStore(Protocol):
    """Articles by the hash of their content, and the inbox: files that other programs put there by their names.

    Raises BlobStoreUnavailable while it is away.
    """

    async def put(self, data: bytes) -> str:
        """Stores bytes and returns their key."""

    async def get(self, key: str) -> bytes | None: ...

    async def incoming(self, name: str) -> bytes | None:
        """A file of the inbox; raises ContentTooLarge for one that no article can be."""

    def older_than(self, moment: datetime) -> AsyncIterator[str]:
        """Keys of what was last put before, and names in the inbox."""

    async def delete(self, key: str, *, put_before: datetime) -> bool:
        """False where it is gone, or was put again since."""


class Retention(Protocol):
    """What is kept for a time only."""

    async def forget_jobs(self, before: datetime, limit: int) -> int:
        """Deletes so many of the ended jobs that were submitted earlier, with all that belongs to them; how many.

        A job that MLflow still has to be told of stays.
        """

    async def forget_batches(self, before: datetime) -> int:
        """Those of which no job is left."""

    async def forget_audit(self, before: datetime) -> int: ...

    async def old(self, *, articles: datetime, entries: datetime) -> tuple[int, int]:
        """How many jobs and audit entries would go."""

    async def used(self, blobs: Sequence[str]) -> set[str]:
        """Those that some job still names."""


class Cache(Protocol):
    """Bytes kept for a short time. It may forget at any moment, and never fails."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, *, revision: int, seconds: float) -> None:
        """Keeps a value unless one of a higher revision, from 0, is kept: who read early can't undo who wrote late."""

    async def drop(self, *keys: str) -> None: ...
