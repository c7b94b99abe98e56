"""A way to Redis, as a process has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.adapters.redis_batches import Command, RedisBatches
from serving.adapters.redis_connection import SOCKET_SECONDS, open_redis


class Sent(RedisBatches):
    """Counts the batches that were sent."""

    sent = 0

    async def _values(self, commands: list[Command]) -> list[object]:
        self.sent += 1
        return await super()._values(commands)


@asynccontextmanager
async def batches(url: str, *, seconds: float = SOCKET_SECONDS) -> AsyncIterator[Sent]:
    client = open_redis(url, socket_seconds=None)
    opened = Sent(client, meanwhile="a test goes on", seconds=seconds)
    yield opened
    await opened.close()
    await client.aclose()


async def age(opened: RedisBatches, name: str, seconds: float) -> None:
    """All keys with `name` in theirs go so much sooner."""
    found = await opened.ask("KEYS", f"*{name}*")
    assert isinstance(found, list)
    for key in found:
        left = await opened.ask("PTTL", key)
        assert isinstance(left, int)
        if left >= 0:
            await opened.ask("PEXPIRE", key, left - round(seconds * 1000))
