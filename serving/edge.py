"""What the API asks before it asks the database: in Redis for all processes, or within this one."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from serving.adapters.memory_cache import MemoryCache
from serving.adapters.memory_rate_limits import MemoryRateLimits
from serving.adapters.memory_revocations import MemoryRevocations
from serving.adapters.redis_connection import open_redis
from serving.ports.control import RateLimits, Revocations
from serving.ports.storage import Cache
from serving.settings import ServingSettings

WITHOUT_REDIS = "nothing is cached, requests aren't counted and each process knows only the sessions it revoked"


@dataclass(frozen=True)
class Edge:
    cache: Cache
    limits: RateLimits
    revocations: Revocations
    shared: bool  # else a worker's changes don't reach the cache
    answers: Callable[[], Awaitable[None]] | None = None  # asks Redis, where there is one; raises RedisSilent


@asynccontextmanager
async def open_edge(
    settings: ServingSettings, *, not_counted: Callable[[], None] = lambda: None
) -> AsyncIterator[Edge]:
    """Closes what it opened; raises RedisUnusable. `not_counted` is called for each request Redis couldn't count."""
    limit, own = settings.user_requests_per_minute, MemoryRevocations(time.monotonic)
    if not settings.redis_connection_string:
        limits = MemoryRateLimits(time.monotonic, limit=limit)
        yield Edge(MemoryCache(time.monotonic), limits, own, shared=False)
        return
    client = open_redis(settings.redis_connection_string, socket_seconds=None)  # batches are bounded as a whole
    # A process without Redis has no need of their memory.
    from serving.adapters.redis_batches import RedisBatches
    from serving.adapters.redis_cache import RedisCache
    from serving.adapters.redis_rate_limits import RedisRateLimits
    from serving.adapters.redis_revocations import RedisRevocations

    batches = RedisBatches(client, meanwhile=WITHOUT_REDIS)
    try:
        limits_in_redis = RedisRateLimits(batches, limit=limit, not_counted=not_counted)
        yield Edge(RedisCache(batches), limits_in_redis, RedisRevocations(batches, own), True, batches.answers)
    finally:
        await batches.close()
        await client.aclose()
