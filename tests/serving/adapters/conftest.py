"""Time that passes when a test says so, in a process and in Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace

import pytest

from serving.adapters import redis_connection
from tests.serving.adapters.batches import age, batches
from tests.serving.ticks import Turned

Later = Callable[[str, float], Awaitable[None]]


@pytest.fixture
def ticks() -> Turned:
    return Turned()


@pytest.fixture
async def later(redis_url: str, ticks: Turned) -> AsyncIterator[Later]:
    """So many seconds go by for `ticks` and for all keys with a name in theirs."""
    async with batches(redis_url) as opened:

        async def later(name: str, seconds: float) -> None:
            ticks.now += seconds
            await age(opened, name, seconds)

        yield later


@pytest.fixture
def outage_ticks(ticks: Turned, monkeypatch: pytest.MonkeyPatch) -> Turned:
    """By which a Redis that is down is asked again."""
    monkeypatch.setattr(redis_connection, "time", SimpleNamespace(monotonic=ticks))
    return ticks
