"""Revoked sessions, kept within one process."""

from serving.ports.clocks import Ticks


class MemoryRevocations:
    """Other processes go on accepting the token."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._until: dict[str, float] = {}

    async def revoke(self, id: str, seconds: float) -> bool:
        now = self._ticks()
        new = self._until.get(id, 0.0) <= now
        self._until = {id: until for id, until in self._until.items() if until > now} | {id: now + seconds}
        return new

    async def is_revoked(self, *ids: str) -> bool:
        now = self._ticks()
        return any(self._until.get(id, 0.0) > now for id in ids)
