"""Revoked sessions, kept within one process."""

from serving.ports import Ticks


class MemoryRevocations:
    """Other processes go on accepting the token."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._until: dict[str, float] = {}

    async def revoke(self, id: str, seconds: float) -> None:
        now = self._ticks()
        self._until = {id: until for id, until in self._until.items() if until > now} | {id: now + seconds}

    async def is_revoked(self, id: str) -> bool:
        return self._until.get(id, 0.0) > self._ticks()
