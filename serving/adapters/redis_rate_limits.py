"""Requests of each user, counted in Redis by all processes together, in windows of Redis' own clock."""

from collections.abc import Callable

from serving.adapters.redis_batches import RedisBatches
from serving.keys import RATE_WINDOW_SECONDS, rate_limit_key
from serving.ports.control import Allowance

# KEYS: 1 the user's count. ARGV: 1 length of a window in milliseconds. Returns the count and what is left of it.
TAKE = """
local count, left = redis.call('INCR', KEYS[1]), redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
"""


class RedisRateLimits:
    """While Redis is down every request is allowed, and `not_counted` is called for each."""

    def __init__(
        self,
        batches: RedisBatches,
        *,
        limit: int,
        window_seconds: float = RATE_WINDOW_SECONDS,
        not_counted: Callable[[], None],
    ) -> None:
        self._batches = batches
        self._limit = limit
        self._window_seconds = window_seconds
        self._not_counted = not_counted

    async def take(self, user: str) -> Allowance:
        answer = await self._batches.ask("EVAL", TAKE, 1, rate_limit_key(user), round(self._window_seconds * 1000))
        if not isinstance(answer, list):
            self._not_counted()
            return Allowance(True, self._limit, self._window_seconds, remaining=None, reset_seconds=0.0)
        count, milliseconds = answer
        remaining = max(0, self._limit - count)
        return Allowance(count <= self._limit, self._limit, self._window_seconds, remaining, milliseconds / 1000)
