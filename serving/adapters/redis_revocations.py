"""Revoked sessions in Redis, known to all processes."""

import math

from serving.adapters.memory_revocations import MemoryRevocations
from serving.adapters.redis_batches import RedisBatches
from serving.keys import revoked_key


class RedisRevocations:
    """While Redis is down a process knows only what it revoked itself."""

    def __init__(self, batches: RedisBatches, own: MemoryRevocations) -> None:
        self._batches = batches
        self._own = own

    async def revoke(self, id: str, seconds: float) -> None:
        await self._own.revoke(id, seconds)
        if seconds > 0:
            await self._batches.ask("SET", revoked_key(id), 1, "PX", math.ceil(seconds * 1000))

    async def is_revoked(self, id: str) -> bool:
        return await self._own.is_revoked(id) or await self._batches.ask("EXISTS", revoked_key(id)) == 1
