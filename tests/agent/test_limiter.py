import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.limiter import WINDOW_SECONDS, Limits, Permit, ProcessLimiter, Window


async def test_no_more_calls_run_than_are_allowed():
    limiter = ProcessLimiter(Limits(in_flight=3))
    running = most = 0

    async def call() -> None:
        nonlocal running, most
        async with limiter.permit(1):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 400)), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(100, 600),
)
def test_no_minute_holds_more_than_the_limits(calls: list[tuple[float, int]], requests: int, tokens: int):
    window, limits, now = Window(), Limits(1, requests, tokens), 0.0
    started: list[tuple[float, int]] = []
    for pause, size in calls:
        now += pause
        while (wait := window.room(limits, size, now)) > 0:
            now += wait
        window.add(Permit(size), now)
        started.append((now, size))
    for first, _ in started:
        minute = [size for at, size in started if first <= at < first + WINDOW_SECONDS]
        assert len(minute) <= requests
        assert sum(minute) <= tokens or len(minute) == 1


def test_what_a_call_really_used_counts():
    window, limits = Window(), Limits(1, tokens_per_minute=100)
    permit = Permit(90)
    window.add(permit, now=0)
    assert window.room(limits, 50, now=1) == 59
    permit.tokens = 40
    assert window.room(limits, 50, now=1) == 0


def test_a_call_over_the_limit_by_itself_starts_in_an_empty_window():
    window, limits = Window(), Limits(1, tokens_per_minute=100)
    assert window.room(limits, 500, now=0) == 0
    window.add(Permit(1), now=0)
    assert window.room(limits, 500, now=10) == 50


async def test_a_pause_holds_for_everybody_and_is_not_shortened():
    limiter = ProcessLimiter(Limits(in_flight=5))
    started = time.monotonic()
    await limiter.pause(0.2)
    await limiter.pause(0.01)

    async def call() -> float:
        async with limiter.permit(1):
            return time.monotonic() - started

    assert min(await asyncio.gather(call(), call())) >= 0.2


async def test_a_call_that_is_cancelled_gives_its_place_back():
    limiter = ProcessLimiter(Limits(in_flight=1))
    await limiter.pause(30)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), limiter.permit(1):
            pytest.fail("it got a permit in the pause")
    limiter = ProcessLimiter(Limits(in_flight=1))
    with pytest.raises(ValueError, match="the call failed"):
        async with limiter.permit(1):
            raise ValueError("the call failed")
    async with asyncio.timeout(30), limiter.permit(1):
        pass
