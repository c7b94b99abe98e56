"""Revoked sessions, kept within one process."""

from serving.ports.clocks import Ticks


class MemoryRevocations:
    """Other processes go on accepting the token."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._until: dict[str, float] = {}

    async def revoke(self, id: str, seconds: float) -> bool:
        now = self._ticks()
        before = self._until.get(id, 0.0)
        self._until = {id: until for id, until in self._until.items() if until > now}
        self._until[id] = max(before, now + seconds)
        return before <= now

    async def is_revoked(self, *ids: str) -> bool:
        return self.is_known(*ids)

    def is_known(self, *ids: str) -> bool:
        now = self._ticks()
        return any(self._until.get(id, 0.0) > now for id in ids)
