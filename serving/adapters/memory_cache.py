"""A cache within one process, which forgets what was not asked for the longest when it is full."""

from collections import OrderedDict
from dataclasses import dataclass

from serving.ports.clocks import Ticks

MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    value: bytes
    revision: int
    until: float


class MemoryCache:
    """Other processes see nothing of it."""

    def __init__(self, ticks: Ticks, *, most_bytes: int = MOST_BYTES) -> None:
        self._ticks = ticks
        self._most_bytes = most_bytes
        self._bytes = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()  # what was asked for last comes last

    async def get(self, key: str) -> bytes | None:
        entry = self._kept(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    async def put(self, key: str, value: bytes, *, revision: int, seconds: float) -> None:
        kept = self._kept(key)
        if kept is not None and kept.revision > revision:
            return
        self._remove(key)
        self._entries[key] = Entry(value, revision, self._ticks() + seconds)
        self._bytes += _size(key, value)
        while self._bytes > self._most_bytes:
            self._remove(next(iter(self._entries)))

    async def drop(self, *keys: str) -> None:
        for key in keys:
            self._remove(key)

    def _kept(self, key: str) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None and entry.until <= self._ticks():
            self._remove(key)
            return None
        return entry

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry.value)


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value)
