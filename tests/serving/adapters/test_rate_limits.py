"""One suite for every rate limit, and what only one of them does."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from serving.adapters.memory_rate_limits import MemoryRateLimits
from serving.adapters.redis_rate_limits import RedisRateLimits
from serving.ports.control import Allowance, RateLimits
from tests.serving.adapters.batches import batches
from tests.serving.adapters.conftest import Later
from tests.serving.service import free_port
from tests.serving.ticks import Turned

Make = Callable[[int, float], RateLimits]


def never() -> None:
    pytest.fail("a request wasn't counted")


@pytest.fixture(params=["memory", "redis"])
async def make(request: pytest.FixtureRequest, ticks: Turned) -> AsyncIterator[Make]:
    if request.param == "memory":
        yield lambda limit, window: MemoryRateLimits(ticks, limit=limit, window_seconds=window)
        return
    async with batches(request.getfixturevalue("redis_url")) as opened:
        yield lambda limit, window: RedisRateLimits(opened, limit=limit, window_seconds=window, not_counted=never)


@pytest.fixture
def user() -> str:
    return secrets.token_hex(8)


async def test_each_request_leaves_one_less(make: Make, user: str) -> None:
    limits = make(2, 60)
    taken = [await limits.take(user) for _ in range(4)]
    assert [(each.allowed, each.remaining) for each in taken] == [(True, 1), (True, 0), (False, 0), (False, 0)]
    assert all((each.limit, each.window_seconds) == (2, 60) and 58 < each.reset_seconds <= 60 for each in taken)


async def test_a_new_window_begins_when_the_last_has_ended(make: Make, user: str, later: Later) -> None:
    limits = make(1, 60)
    first, second = await limits.take(user), await limits.take(user)
    await later(user, 35)
    third = await limits.take(user)
    await later(user, third.reset_seconds + 0.02)
    fourth = await limits.take(user)
    assert [each.allowed for each in (first, second, third, fourth)] == [True, False, False, True]
    assert third.reset_seconds < 30 < fourth.reset_seconds


async def test_users_know_nothing_of_each_other(make: Make, user: str) -> None:
    limits = make(1, 60)
    taken = [await limits.take(name) for name in (user, f"{user}:é", user)]
    assert [each.allowed for each in taken] == [True, True, False]


async def test_of_two_thousand_at_once_each_user_gets_what_is_theirs(make: Make, user: str) -> None:
    limits = make(500, 60)
    users = [user + "ab"[number % 2] for number in range(2000)]
    taken = await asyncio.gather(*(limits.take(name) for name in users))
    allowed = Counter(name for name, each in zip(users, taken, strict=True) if each.allowed)
    assert allowed == {user + "a": 500, user + "b": 500}
    assert sorted(each.remaining or 0 for each in taken if each.allowed) == sorted([*range(500)] * 2)


async def test_two_processes_together_allow_no_more(redis_url: str, user: str) -> None:
    async with batches(redis_url) as one, batches(redis_url) as other:
        both = [RedisRateLimits(way, limit=500, not_counted=never) for way in (one, other)]
        users = [user + "ab"[number // 2 % 2] for number in range(2000)]
        taken = await asyncio.gather(*(both[number % 2].take(name) for number, name in enumerate(users)))
    allowed = Counter(name for name, each in zip(users, taken, strict=True) if each.allowed)
    assert allowed == {user + "a": 500, user + "b": 500}


async def test_a_count_that_never_ends_is_given_an_end(redis_url: str, user: str) -> None:
    async with batches(redis_url) as opened:
        await opened.ask("SET", f"user:ratelimit:{user}", 7)
        taken = await RedisRateLimits(opened, limit=500, not_counted=never).take(user)
    assert taken == Allowance(True, 500, 60, remaining=492, reset_seconds=60)


async def test_every_request_is_allowed_while_nobody_counts() -> None:
    uncounted: list[int] = []
    async with batches(f"redis://127.0.0.1:{free_port()}") as opened:
        limits = RedisRateLimits(opened, limit=1, not_counted=lambda: uncounted.append(1))
        taken = [await limits.take("ada") for _ in range(3)]
    assert taken == [Allowance(True, 1, 60, remaining=None, reset_seconds=0)] * 3
    assert len(uncounted) == 3


async def test_memory_keeps_no_window_that_has_ended() -> None:
    ticks = Turned()
    limits = MemoryRateLimits(ticks, limit=1, window_seconds=60)
    for number in range(100):
        await limits.take(str(number))
        ticks.now += 1
    assert len(limits._windows) == 60
