"""What the checks of a worker share, and the workers of an installation where they have a Redis."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from agent.check_cache import KeyValues
from agent.endpoint import Endpoint
from agent.limiter import Limits
from agent.settings import ModelSettings
from serving.adapters.database import Database
from serving.adapters.redis_connection import open_redis
from serving.adapters.sql_check_cache import SqlKeyValues
from serving.ports.clocks import Clock
from serving.settings import ServingSettings

HOLD_SECONDS = 30.0  # beyond a call's timeout, before the place of a worker that died comes back


@dataclass(frozen=True)
class Shared:
    endpoint: Endpoint
    kept: KeyValues


@asynccontextmanager
async def shared(
    settings: ServingSettings, model: ModelSettings, database: Database, clock: Clock
) -> AsyncIterator[Shared]:
    """Closes what it opened; raises RedisUnusable."""
    if settings.redis_connection_string:
        async with _in_redis(settings, model) as found:
            yield found
        return
    endpoint = Endpoint(model)
    try:
        yield Shared(endpoint, SqlKeyValues(database, clock))
    finally:
        await endpoint.close()


@asynccontextmanager
async def _in_redis(settings: ServingSettings, model: ModelSettings) -> AsyncIterator[Shared]:
    client = open_redis(settings.redis_connection_string)
    # The package is there only with the extra `azure`, and open_redis has said so by now.
    from serving.adapters.redis_check_cache import RedisKeyValues
    from serving.adapters.redis_limiter import RedisLimiter

    limits = Limits(model.max_in_flight, model.requests_per_minute, model.tokens_per_minute)
    name = hashlib.sha256(model.url.encode()).hexdigest()[:16]  # one limiter an endpoint; the URL may hold a password
    limiter = RedisLimiter(client, name, limits, hold_seconds=model.timeout_seconds + HOLD_SECONDS)
    endpoint = Endpoint(model, limiter=limiter)
    try:
        yield Shared(endpoint, RedisKeyValues(client, keep=timedelta(days=settings.kept_days)))
    finally:
        await endpoint.close()
        await limiter.close()
        await client.aclose()
