"""A way to Redis, as a process has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.adapters.redis_batches import RedisBatches
from serving.adapters.redis_connection import SOCKET_SECONDS, open_redis


@asynccontextmanager
async def batches(url: str, *, seconds: float = SOCKET_SECONDS) -> AsyncIterator[RedisBatches]:
    client = open_redis(url)
    opened = RedisBatches(client, meanwhile="a test goes on", seconds=seconds)
    yield opened
    await opened.close()
    await client.aclose()
