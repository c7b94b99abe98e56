"""Finished checks in Redis, shared by all workers."""

from collections.abc import Mapping
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from serving.adapters.redis_connection import Outage

PREFIX = "check:"
MOST_KEYS = 1000  # in one command: Redis serves nobody else meanwhile


class RedisKeyValues:
    """Redis drops a value `keep` after it was put. While Redis is down nothing is found and nothing is kept."""

    def __init__(self, client: Redis, *, keep: timedelta) -> None:
        self._client = client
        self._keep = keep
        self._outage = Outage("finished checks are made again")

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        if not keys or not self._outage.may_ask():
            return {}
        found: dict[str, bytes] = {}
        try:
            for start in range(0, len(keys), MOST_KEYS):
                part = keys[start : start + MOST_KEYS]
                values = await self._client.mget([PREFIX + key for key in part])
                found.update((key, value) for key, value in zip(part, values, strict=True) if isinstance(value, bytes))
        except RedisError as error:
            self._outage.failed(error)
            return {}
        self._outage.answered()
        return found

    async def put(self, values: Mapping[str, bytes]) -> None:
        if not values or not self._outage.may_ask():
            return
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for key, value in values.items():
                    pipeline.set(PREFIX + key, value, ex=self._keep)
                await pipeline.execute()
        except RedisError as error:
            self._outage.failed(error)
        else:
            self._outage.answered()
