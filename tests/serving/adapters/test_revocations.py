"""One suite for every store of revoked sessions, and what only one of them does."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serving.adapters.memory_revocations import MemoryRevocations
from serving.adapters.redis_revocations import LEARNT_SECONDS, RedisRevocations
from serving.ports.control import Revocations
from tests.redis_server import redis_server
from tests.serving.adapters.batches import batches
from tests.serving.adapters.conftest import Later
from tests.serving.service import free_port
from tests.serving.ticks import Turned


@pytest.fixture(params=["memory", "redis"])
async def revocations(request: pytest.FixtureRequest, ticks: Turned) -> AsyncIterator[Revocations]:
    if request.param == "memory":
        yield MemoryRevocations(ticks)
        return
    async with batches(request.getfixturevalue("redis_url")) as opened:
        yield RedisRevocations(opened, MemoryRevocations(ticks))


async def test_a_revoked_session_is_known_and_no_other(revocations: Revocations) -> None:
    one, other, third = (secrets.token_hex(8) for _ in range(3))
    await revocations.revoke(one, 60)
    await revocations.revoke(other, 60)
    assert [await revocations.is_revoked(id) for id in (one, other, third)] == [True, True, False]


async def test_only_the_first_of_two_is_told_that_it_was_new(revocations: Revocations) -> None:
    id = secrets.token_hex(8)
    assert sorted(await asyncio.gather(*(revocations.revoke(id, 60) for _ in range(5)))) == [False] * 4 + [True]


async def test_several_are_asked_for_at_once(revocations: Revocations) -> None:
    one, other, third = (secrets.token_hex(8) for _ in range(3))
    await revocations.revoke(one, 60)
    assert [await revocations.is_revoked(other, one), await revocations.is_revoked(other, third)] == [True, False]


async def test_it_is_forgotten_when_its_token_is_no_longer_good(revocations: Revocations, later: Later) -> None:
    short, over = secrets.token_hex(8), secrets.token_hex(8)
    await revocations.revoke(short, 60)
    await revocations.revoke(over, -3)
    before = await revocations.is_revoked(short)
    await later(short, 61)
    assert [before, await revocations.is_revoked(short), await revocations.is_revoked(over)] == [True, False, False]


async def test_other_processes_know_it_from_redis(redis_url: str) -> None:
    id = secrets.token_hex(8)
    async with batches(redis_url) as one, batches(redis_url) as other:
        await RedisRevocations(one, MemoryRevocations(time.monotonic)).revoke(id, 60)
        assert await RedisRevocations(other, MemoryRevocations(time.monotonic)).is_revoked(id)


async def test_what_redis_told_is_known_without_asking_it_again(redis_url: str, ticks: Turned) -> None:
    theirs, mine, other = (secrets.token_hex(8) for _ in range(3))
    async with batches(redis_url) as opened:
        await RedisRevocations(opened, MemoryRevocations(ticks)).revoke(theirs, 600)
        revocations = RedisRevocations(opened, MemoryRevocations(ticks))
        await revocations.revoke(mine, 600)
        before = [revocations.is_known(id) for id in (theirs, mine, other)]
        assert await revocations.is_revoked(other, theirs)
        assert before == [False, True, False]
        assert [revocations.is_known(id) for id in (theirs, mine, other)] == [True, True, False]
        ticks.now += LEARNT_SECONDS
        assert [revocations.is_known(id) for id in (theirs, mine, other)] == [False, True, False]
        assert await revocations.is_revoked(theirs)


async def test_what_is_revoked_for_long_is_not_forgotten_for_a_shorter_time(ticks: Turned) -> None:
    revocations = MemoryRevocations(ticks)
    assert [await revocations.revoke("one", seconds) for seconds in (600, 60)] == [True, False]
    ticks.now += 599
    assert revocations.is_known("one")


async def test_a_full_redis_still_says_what_was_revoked(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        async with batches(url) as opened:
            await RedisRevocations(opened, MemoryRevocations(time.monotonic)).revoke("theirs", 60)
            await opened.ask("CONFIG", "SET", "maxmemory", 1)
            revocations = RedisRevocations(opened, MemoryRevocations(time.monotonic))
            await revocations.revoke("mine", 60)  # Redis refuses to keep it
            assert [await revocations.is_revoked(id) for id in ("mine", "theirs", "other")] == [True, True, False]


async def test_a_process_without_redis_refuses_what_it_revoked_itself() -> None:
    async with batches(f"redis://127.0.0.1:{free_port()}") as opened:
        revocations = RedisRevocations(opened, MemoryRevocations(time.monotonic))
        await revocations.revoke("mine", 60)
        assert [await revocations.is_revoked(id) for id in ("mine", "theirs")] == [True, False]
