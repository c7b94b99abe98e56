import asyncio
import logging
import secrets
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agent.limiter import Limits
from serving.adapters.redis_check_cache import PREFIX, RedisKeyValues
from serving.adapters.redis_connection import ASK_AGAIN_SECONDS, RedisUnusable, open_redis
from serving.adapters.redis_limiter import RedisLimiter
from tests.redis_server import redis_server
from tests.serving.service import free_port
from tests.serving.ticks import Turned
from tests.waiting import soon

PATIENCE = 30.0


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def gone() -> AsyncIterator[Redis]:
    """A client whose Redis is down."""
    client = open_redis(f"redis://127.0.0.1:{free_port()}")
    yield client
    await client.aclose()


class Told(RedisLimiter):
    """Remembers what Redis answered: milliseconds to wait, 0 with a place, None when it is down."""

    def __init__(self, client: Redis, name: str, limits: Limits, *, hold: float = 60.0, window: float = 60.0) -> None:
        super().__init__(client, name, limits, hold_seconds=hold, window_seconds=window)
        self.told: list[int | None] = []

    async def _ask(self, id: str, tokens: int) -> int | None:
        wait = await super()._ask(id, tokens)
        self.told.append(wait)
        return wait


def two(client: Redis, limits: Limits, *, hold: float = 60.0, window: float = 60.0) -> tuple[Told, ...]:
    """As two processes have them."""
    name = secrets.token_hex(4)
    return tuple(Told(client, name, limits, hold=hold, window=window) for _ in range(2))


async def call(limiter: RedisLimiter, tokens: int = 1) -> None:
    """Long before a minute is over, which is how long it would wait in vain."""
    async with asyncio.timeout(PATIENCE), limiter.permit(tokens):
        pass


async def at_once(limiter: Told, tokens: int = 1) -> bool:
    """Whether a call gets its permit when it first asks."""
    before = len(limiter.told)
    await call(limiter, tokens)
    return limiter.told[before:] == [0]


async def waits(limiter: Told, tokens: int = 1) -> bool:
    """Whether a call is told to wait."""
    before = len(limiter.told)
    calling = asyncio.create_task(call(limiter, tokens))
    await soon("it is answered", lambda: len(limiter.told) > before)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    await limiter.close()
    return bool(limiter.told[before])


async def command(client: Redis, *words: str) -> None:
    await client.execute_command(*words)  # type: ignore[no-untyped-call]


async def test_no_more_calls_run_than_are_allowed_over_all_processes(client: Redis):
    limiters = two(client, Limits(in_flight=3))
    running = most = 0

    async def call(limiter: RedisLimiter) -> None:
        nonlocal running, most
        async with limiter.permit(1):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(call(limiters[number % 2]) for number in range(40)))
    assert most == 3


async def test_requests_a_minute_hold_over_all_processes(client: Redis):
    one, other = two(client, Limits(in_flight=9, requests_per_minute=4))
    for limiter in (one, other, one, other):
        assert await at_once(limiter)
    assert [await waits(one), await waits(other)] == [True, True]


async def test_requests_leave_the_window_as_they_came(client: Redis):
    one, other = two(client, Limits(in_flight=9, requests_per_minute=2), window=0.5)
    calls = []
    for limiter in (one, other, one, other, one):
        asked = time.monotonic()
        await call(limiter)
        calls.append((asked, time.monotonic()))
    # The window slides by the server's clock, which was read between the two.
    assert all(started - asked > 0.49 for (asked, _), (_, started) in zip(calls, calls[2:], strict=False))


async def test_what_a_call_really_used_counts_for_all_processes(client: Redis):
    one, other = two(client, Limits(in_flight=9, tokens_per_minute=100))
    async with one.permit(90) as permit:
        assert await waits(other, 50)
        permit.tokens = 40
    assert await at_once(other, 50)
    assert await waits(one, 20)


async def test_tokens_leave_the_window(client: Redis):
    one, other = two(client, Limits(in_flight=9, tokens_per_minute=100), window=0.5)
    began = time.monotonic()
    assert await at_once(one, 80)
    await call(other, 80)
    assert time.monotonic() - began > 0.49


async def test_a_call_over_the_limit_by_itself_starts_in_an_empty_window(client: Redis):
    one, other = two(client, Limits(in_flight=9, tokens_per_minute=100), window=0.5)
    began = time.monotonic()
    assert await at_once(one, 500)
    await call(other, 500)
    assert time.monotonic() - began > 0.49


async def test_the_place_of_a_process_that_died_comes_back(client: Redis):
    one, other = two(client, Limits(in_flight=1), hold=0.6)
    began, held = time.monotonic(), one.permit(1)
    await held.__aenter__()
    await call(other)
    assert time.monotonic() - began > 0.59
    assert held


async def test_who_stops_waiting_takes_no_place(client: Redis):
    one, other = two(client, Limits(in_flight=2, requests_per_minute=2))
    calls = [asyncio.create_task(call(one)) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the first has asked
    for each in calls:
        each.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await one.close()
    assert [await at_once(other), await at_once(other), await waits(other)] == [True, True, True]


async def test_a_cancelled_call_gives_its_place_back(client: Redis):
    one, other = two(client, Limits(in_flight=1))

    begun = asyncio.Event()

    async def hang() -> None:
        async with one.permit(1):
            begun.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(hang())
    await begun.wait()
    running.cancel()
    await call(other)


async def test_a_pause_holds_for_all_processes_and_is_never_shortened(client: Redis):
    one, other = two(client, Limits(in_flight=9))
    began = time.monotonic()
    await one.pause(0.6)
    await other.pause(0.1)

    async def waited(limiter: Told) -> float:
        await call(limiter)
        return time.monotonic() - began

    assert min(await asyncio.gather(waited(one), waited(other))) > 0.59


async def test_limiters_of_different_names_know_nothing_of_each_other(client: Redis):
    (one, _), (other, _) = two(client, Limits(in_flight=1)), two(client, Limits(in_flight=1))
    async with one.permit(1):
        assert await at_once(other)


async def test_each_process_keeps_the_limits_by_itself_while_redis_is_down(
    gone: Redis, caplog: pytest.LogCaptureFixture
):
    one, other = two(gone, Limits(in_flight=1))
    async with one.permit(1):
        held_up = asyncio.create_task(call(one))
        await call(other)
        await one.pause(0.01)
        assert not held_up.done()
    await held_up
    assert [record.getMessage().split(":")[-1] for record in caplog.records] == 2 * [
        " each process keeps the limits of the model endpoint by itself until it is back"
    ]


async def test_places_given_back_while_redis_is_away_are_free_when_it_is_back(
    client: Redis, redis_url: str, outage_ticks: Turned
):
    user, name = secrets.token_hex(4), secrets.token_hex(4)
    await command(client, "ACL", "SETUSER", user, "on", ">secret", "~*", "+@all")
    theirs = open_redis(redis_url.replace("://", f"://{user}:secret@"))
    one = RedisLimiter(theirs, name, Limits(in_flight=1), hold_seconds=60)
    async with one.permit(1):
        await command(client, "ACL", "SETUSER", user, "off")
        await command(client, "CLIENT", "KILL", "USER", user)
    await command(client, "ACL", "SETUSER", user, "on")
    outage_ticks.now += ASK_AGAIN_SECONDS
    await call(one)
    await one.close()
    await theirs.aclose()


async def test_redis_is_used_again_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, outage_ticks: Turned
):
    caplog.set_level(logging.INFO, "serving")
    port = free_port()
    client = open_redis(f"redis://127.0.0.1:{port}")
    one, other = two(client, Limits(in_flight=1))
    await call(one)
    with redis_server(tmp_path, port):
        outage_ticks.now += ASK_AGAIN_SECONDS
        async with one.permit(1):
            assert await waits(other)
    await client.aclose()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_kept_checks_are_found_by_all_and_dropped_in_time(client: Redis):
    key, other = secrets.token_hex(8), secrets.token_hex(8)
    await RedisKeyValues(client, keep=timedelta(days=30)).put({key: b"\xff{}"})
    store = RedisKeyValues(client, keep=timedelta(days=1))
    assert await store.get([key, other]) == {key: b"\xff{}"}
    assert 0 <= 30 * 86400 - await client.ttl(PREFIX + key) < 60


async def test_no_checks_ask_for_nothing(client: Redis):
    store = RedisKeyValues(client, keep=timedelta(days=1))
    await store.put({})
    assert await store.get([]) == {}


async def test_many_checks_are_found_at_once(client: Redis):
    store = RedisKeyValues(client, keep=timedelta(minutes=1))
    name = secrets.token_hex(4)
    values = {f"{name}-{number}": str(number).encode() for number in range(2500)}
    await store.put(values)
    assert await store.get(list(values)) == values


async def test_nothing_is_kept_while_redis_is_down(gone: Redis, caplog: pytest.LogCaptureFixture):
    store = RedisKeyValues(gone, keep=timedelta(days=1))
    await store.put({"a": b"1"})
    assert [await store.get(["a"]), await store.get(["a"])] == [{}, {}]
    assert len(caplog.records) == 1
    assert caplog.text.rstrip().endswith("finished checks are made again until it is back")


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://localhost", "redis://:pa/ss@localhost", "redis://localhost?speed=9"]
)
def test_a_bad_address_is_refused_without_its_password(url: str):
    with pytest.raises(RedisUnusable, match=r"not a Redis address: write rediss://:PASSWORD@HOST:PORT") as refused:
        open_redis(url)
    assert "pa" not in str(refused.value).replace("password", "")


def test_the_extra_is_named_where_its_package_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(RedisUnusable, match=r"pip install copydesk\[azure\]"):
        open_redis("redis://localhost")
