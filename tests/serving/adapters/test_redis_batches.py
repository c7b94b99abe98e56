"""Commands of many callers in few round trips, and what becomes of them when Redis goes."""

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import Coroutine
from pathlib import Path

import pytest
from redis.exceptions import DataError

from serving.adapters.redis_batches import RedisBatches
from serving.adapters.redis_cache import RedisCache
from serving.adapters.redis_connection import ASK_AGAIN_SECONDS
from tests.redis_server import redis_server
from tests.serving.adapters.batches import batches
from tests.serving.service import free_port
from tests.serving.ticks import Turned
from tests.waiting import soon


async def server_pid(opened: RedisBatches) -> int:
    info = await opened.ask("INFO", "server")
    assert isinstance(info, bytes)
    return int(info.partition(b"process_id:")[2].split()[0])


async def calls(opened: RedisBatches, command: str) -> int:
    """How often the server was sent a command."""
    info = await opened.ask("INFO", "commandstats")
    assert isinstance(info, bytes)
    return int(info.partition(f"cmdstat_{command}:calls=".encode())[2].partition(b",")[0] or 0)


def at_once(asked: Coroutine[object, None, bytes | None]) -> bytes | None:
    """The answer of what waits for nobody."""
    try:
        asked.send(None)
    except StopIteration as ended:
        found: bytes | None = ended.value
        return found
    pytest.fail("it waits for Redis")


async def test_everyone_gets_their_own_answer(redis_url: str) -> None:
    name = secrets.token_hex(8)
    async with batches(redis_url) as opened:
        await asyncio.gather(*(opened.ask("SET", f"{name}{number}", number) for number in range(300)))
        found = await asyncio.gather(*(opened.ask("GET", f"{name}{number}") for number in range(300)))
    assert found == [b"%d" % number for number in range(300)]


async def test_who_asks_while_others_are_answered_is_answered_too(redis_url: str) -> None:
    async with batches(redis_url) as opened, asyncio.timeout(20):
        asked = []
        for number in range(200):
            asked.append(asyncio.create_task(opened.ask("ECHO", number)))
            await asyncio.sleep(0)  # the first are on their way by now
        assert await asyncio.gather(*asked) == [b"%d" % number for number in range(200)]


async def test_values_asked_for_at_once_are_one_command_and_everyone_gets_theirs(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        async with batches(url) as opened:
            await asyncio.gather(*(opened.ask("SET", f"n{number}", number) for number in range(5)))
            before = await calls(opened, "mget")
            asked = (
                ("MGET", "n0"),
                ("ECHO", "a"),
                ("MGET", "n1", "no", "n2"),
                ("LRANGE", "n", 0, -1),
                ("MGET", "n4"),
            )
            found = [*await asyncio.gather(*(opened.ask(*command) for command in asked))]
            assert await calls(opened, "mget") == before + 1
    assert found == [[b"0"], b"a", [b"1", None, b"2"], [], [b"4"]]


async def test_values_that_redis_refuses_are_none_to_each(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        async with batches(url) as opened:
            assert await opened.ask("ACL", "SETUSER", "default", "-mget") == b"OK"
            asked = (("MGET", "a"), ("ECHO", "b"), ("MGET", "a", "b"))
            found = [*await asyncio.gather(*(opened.ask(*command) for command in asked))]
    assert found == [None, b"b", None]


async def test_many_callers_use_one_connection(redis_url: str) -> None:
    name = f"b{secrets.token_hex(4)}"
    async with batches(f"{redis_url}?client_name={name}") as opened, batches(redis_url) as other:
        await asyncio.gather(*(opened.ask("GET", "a") for _ in range(300)))
        clients = await other.ask("CLIENT", "LIST")
    assert isinstance(clients, bytes)
    assert clients.count(f"name={name} ".encode()) == 1


async def test_who_stops_waiting_disturbs_nobody(redis_url: str) -> None:
    async with batches(redis_url) as opened:
        calls = [asyncio.create_task(opened.ask("ECHO", number)) for number in range(10)]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers[1::2] == [b"1", b"3", b"5", b"7", b"9"]
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])


async def test_text_that_cannot_be_sent_is_its_own_callers_failure(redis_url: str) -> None:
    async with batches(redis_url) as opened:
        good, bad = await asyncio.gather(opened.ask("ECHO", "a"), opened.ask("ECHO", "\ud800"), return_exceptions=True)
    assert good == b"a"
    assert isinstance(bad, UnicodeEncodeError)


async def test_a_mistake_of_ours_is_no_outage(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with batches(redis_url) as opened:
        assert [*await asyncio.gather(opened.ask("ECHO", "a"), opened.ask("ECHO", True))] == [None, None]
        assert not opened.down
        assert await opened.ask("ECHO", "b") == b"b"
    [record] = caplog.records
    assert (record.levelname, record.exc_info and record.exc_info[0]) == ("ERROR", DataError)


async def test_a_command_that_redis_refuses_is_answered_with_none(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = secrets.token_hex(8)
    async with batches(redis_url) as opened:
        await opened.ask("LPUSH", key, 1)
        answers = await asyncio.gather(*(opened.ask(*command) for command in (("GET", key), ("ECHO", "a"))))
        assert not opened.down
        for _ in range(3):
            await opened.ask("GET", key)
    assert answers == [None, b"a"]
    assert [("WRONGTYPE" in record.message) for record in caplog.records] == [True]


async def test_an_outage_costs_nothing_and_is_logged_once_and_so_is_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, outage_ticks: Turned
) -> None:
    caplog.set_level(logging.INFO, "serving")
    port = free_port()
    async with batches(f"redis://127.0.0.1:{port}") as opened:
        cache = RedisCache(opened)
        with redis_server(tmp_path, port):
            await cache.put("a", b"1", revision=1, seconds=60)
            assert await cache.get("a") == b"1"
        before = opened.sent
        await asyncio.gather(*(cache.put("a", b"2", revision=2, seconds=60) for _ in range(500)))
        assert [at_once(cache.get("a")) for _ in range(500)] == [None] * 500
        assert (opened.sent - before, opened.down) == (1, True)
        with redis_server(tmp_path, port):
            outage_ticks.now += ASK_AGAIN_SECONDS
            await cache.get("a")  # has it tried again
            await soon("it is back", lambda: not opened.down)
            await cache.put("a", b"3", revision=3, seconds=60)
            assert (await cache.get("a"), opened.down) == (b"3", False)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_redis_that_hangs_is_waited_for_once(tmp_path: Path, outage_ticks: Turned) -> None:
    with redis_server(tmp_path) as url:
        async with batches(url, seconds=0.5) as opened:
            cache, pid = RedisCache(opened), await server_pid(opened)
            os.kill(pid, signal.SIGSTOP)
            before = opened.sent
            assert await asyncio.gather(*(cache.get("a") for _ in range(200))) == [None] * 200
            assert opened.sent - before == 1
            outage_ticks.now += ASK_AGAIN_SECONDS
            assert [at_once(cache.get("a")) for _ in range(20)] == [None] * 20
            await opened.close()  # nobody waited for the one that tried again
            assert (opened.sent - before, opened.down) == (2, True)
            os.kill(pid, signal.SIGCONT)
            outage_ticks.now += ASK_AGAIN_SECONDS
            await cache.get("a")
            await soon("it is back", lambda: not opened.down)


async def test_a_process_that_stands_still_does_not_take_redis_for_silent(redis_url: str) -> None:
    """It would let everything pass, while more comes in than it can bear."""
    async with batches(redis_url, seconds=0.2) as opened:
        await opened.ask("PING")
        asked = asyncio.create_task(opened.ask("ECHO", "a"))
        for _ in range(3):
            await asyncio.sleep(0)
            time.sleep(0.3)  # noqa: ASYNC251 - that is the case
        assert (await asked, opened.down) == (b"a", False)


async def test_a_connection_that_was_cut_is_opened_again(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    name = f"c{secrets.token_hex(4)}"
    async with batches(redis_url) as other, batches(f"{redis_url}?client_name={name}") as opened:
        id = await opened.ask("CLIENT", "ID")
        assert isinstance(id, int)
        await other.ask("CLIENT", "KILL", "ID", id)
        assert await opened.ask("ECHO", "a") == b"a"
    assert caplog.records == []
