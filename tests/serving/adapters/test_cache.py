"""One suite for every cache, and what only one of them does."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.adapters.memory_cache import MemoryCache
from serving.adapters.redis_cache import RedisCache
from serving.ports.storage import Cache
from tests.serving.adapters.batches import batches
from tests.serving.adapters.conftest import Later
from tests.serving.ticks import Turned


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest, ticks: Turned) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache(ticks)
        return
    async with batches(request.getfixturevalue("redis_url")) as opened:
        yield RedisCache(opened)


@pytest.fixture
def key() -> str:
    return f"job:status:{secrets.token_hex(8)}"


async def test_what_is_put_is_found_as_it_was(cache: Cache, key: str) -> None:
    value = bytes(range(256)) * 300
    await cache.put(key, value, revision=0, seconds=60)
    assert [await cache.get(key), await cache.get(f"{key}x")] == [value, None]


async def test_an_empty_value_is_not_the_same_as_none(cache: Cache, key: str) -> None:
    await cache.put(key, b"", revision=1, seconds=60)
    assert await cache.get(key) == b""


async def test_an_older_value_never_replaces_a_newer_one(cache: Cache, key: str) -> None:
    found: list[bytes | None] = []
    for revision in (9, 10, 9, 10, 2, 100, 11):
        await cache.put(key, f"{revision}-{len(found)}".encode(), revision=revision, seconds=60)
        found.append(await cache.get(key))
    assert found == [b"9-0", b"10-1", b"10-1", b"10-3", b"10-3", b"100-5", b"100-5"]


async def test_a_value_is_gone_in_time_with_its_revision(cache: Cache, key: str, later: Later) -> None:
    await cache.put(key, b"new", revision=2, seconds=60)
    await later(key, 20)
    still = await cache.get(key)
    await later(key, 41)
    gone = await cache.get(key)
    await cache.put(key, b"old", revision=1, seconds=60)
    assert [still, gone, await cache.get(key)] == [b"new", None, b"old"]


async def test_a_value_put_again_lives_as_long_as_a_new_one(cache: Cache, key: str, later: Later) -> None:
    await cache.put(key, b"1", revision=1, seconds=60)
    await later(key, 30)
    await cache.put(key, b"2", revision=1, seconds=60)
    await later(key, 31)
    assert await cache.get(key) == b"2"


async def test_what_is_dropped_is_gone(cache: Cache, key: str) -> None:
    for name in "abc":
        await cache.put(key + name, name.encode(), revision=5, seconds=60)
    await cache.drop(key + "a", key + "b", key + "nowhere")
    await cache.drop()
    await cache.put(key + "a", b"again", revision=1, seconds=60)
    assert [await cache.get(key + name) for name in "abc"] == [b"again", None, b"c"]


async def test_only_the_newest_of_many_at_once_is_kept(cache: Cache, key: str) -> None:
    order = [number * 37 % 100 for number in range(100)]
    await asyncio.gather(*(cache.put(key, b"%d" % revision, revision=revision, seconds=60) for revision in order))
    assert await cache.get(key) == b"99"


puts = st.lists(st.tuples(st.integers(0, 10**16 - 1) | st.integers(0, 12), st.binary(max_size=20)), max_size=8)


@given(puts=puts)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_last_of_the_highest_revision_is_kept(cache: Cache, puts: list[tuple[int, bytes]]) -> None:
    key, highest, kept = f"job:status:{secrets.token_hex(8)}", 0, None
    for revision, value in puts:
        await cache.put(key, value, revision=revision, seconds=60)
        if revision >= highest:
            highest, kept = revision, value
        assert await cache.get(key) == kept


@pytest.mark.parametrize("revision", [-1, 10**16])
async def test_redis_refuses_a_revision_it_cannot_order(redis_url: str, key: str, revision: int) -> None:
    async with batches(redis_url) as opened:
        with pytest.raises(ValueError, match=f"of at most 16 digits, got {revision}"):
            await RedisCache(opened).put(key, b"", revision=revision, seconds=1)


async def test_memory_forgets_what_was_not_asked_for_the_longest() -> None:
    cache = MemoryCache(Turned(), most_bytes=33)
    for key in "abc":
        await cache.put(key, bytes(10), revision=0, seconds=60)
    await cache.get("a")
    await cache.put("d", bytes(10), revision=0, seconds=60)
    assert [key for key in "abcd" if await cache.get(key) is not None] == ["a", "c", "d"]


async def test_a_value_over_the_bound_is_not_kept_and_nor_is_the_one_it_replaces() -> None:
    cache = MemoryCache(Turned(), most_bytes=33)
    await cache.put("a", b"old", revision=1, seconds=60)
    await cache.put("a", bytes(100), revision=2, seconds=60)
    await cache.put("b", bytes(32), revision=0, seconds=60)
    assert [await cache.get("a"), await cache.get("b")] == [None, bytes(32)]


async def test_the_room_of_what_is_gone_is_free_again() -> None:
    ticks = Turned()
    cache = MemoryCache(ticks, most_bytes=33)
    for key in "ab":
        await cache.put(key, bytes(10), revision=0, seconds=1)
    await cache.drop("a")
    ticks.now += 1
    await cache.get("b")
    for key in "cde":
        await cache.put(key, bytes(10), revision=0, seconds=60)
    assert [key for key in "abcde" if await cache.get(key) is not None] == ["c", "d", "e"]
