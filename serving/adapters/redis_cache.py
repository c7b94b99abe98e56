"""A cache in Redis, shared by all processes."""

import math

from serving.adapters.redis_batches import RedisBatches

DIGITS = 16  # of the revision, before the value's own bytes

# KEYS: 1 the value's name. ARGV: 1 revision, of DIGITS, 2 value, 3 milliseconds.
PUT = f"""
if redis.call('GETRANGE', KEYS[1], 0, {DIGITS - 1}) > ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisCache:
    """While Redis is down nothing is found and nothing is kept."""

    def __init__(self, batches: RedisBatches) -> None:
        self._batches = batches

    async def get(self, key: str) -> bytes | None:
        match await self._batches.ask("MGET", key):
            case [bytes(found)]:
                return found[DIGITS:]
        return None

    async def put(self, key: str, value: bytes, *, revision: int, seconds: float) -> None:
        await self._batches.ask("EVAL", PUT, 1, key, _digits(revision), value, math.ceil(seconds * 1000))

    async def drop(self, *keys: str) -> None:
        if keys:
            await self._batches.ask("UNLINK", *keys)


def _digits(revision: int) -> str:
    digits = f"{revision:0{DIGITS}d}"
    if revision < 0 or len(digits) > DIGITS:
        raise ValueError(f"a revision is a number from 0 of at most {DIGITS} digits, got {revision}")
    return digits
