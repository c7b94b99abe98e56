"""Revoked sessions in Redis, known to all processes."""

import math

from serving.adapters.memory_revocations import MemoryRevocations
from serving.adapters.redis_batches import RedisBatches
from serving.keys import revoked_key

LEARNT_SECONDS = 60.0  # what Redis told isn't asked again; revocations are never taken back

# 1 where it is new; SET itself answers alike when it isn't and when Redis is down.
_KEEP = "if redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[1]) then return 1 else return 0 end"


class RedisRevocations:
    """While Redis is down a process knows only what it revoked itself."""

    def __init__(self, batches: RedisBatches, own: MemoryRevocations) -> None:
        self._batches = batches
        self._own = own

    async def revoke(self, id: str, seconds: float) -> bool:
        new = await self._own.revoke(id, seconds)
        if seconds > 0:
            was_kept = await self._batches.ask("EVAL", _KEEP, 1, revoked_key(id), math.ceil(seconds * 1000)) == 0
            return new and not was_kept
        return new

    async def is_revoked(self, *ids: str) -> bool:
        if self.is_known(*ids):
            return True
        found = await self._batches.ask("MGET", *(revoked_key(id) for id in ids))
        revoked = [id for id, value in zip(ids, found, strict=True) if value] if isinstance(found, list) else []
        for id in revoked:
            await self._own.revoke(id, LEARNT_SECONDS)
        return bool(revoked)

    def is_known(self, *ids: str) -> bool:
        return self._own.is_known(*ids)
