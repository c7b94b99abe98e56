"""Several things at the same time."""

import asyncio

import pytest

from serving.together import together


async def test_all_have_ended_and_the_first_named_failure_is_told() -> None:
    ended: list[str] = []
    late = asyncio.Event()

    async def fails_late() -> None:
        await late.wait()
        ended.append("late")
        raise ValueError("late")

    async def fails_soon() -> None:
        late.set()
        ended.append("soon")
        raise KeyError("soon")

    async def answers() -> int:
        await late.wait()
        await asyncio.sleep(0)
        ended.append("answers")
        return 1

    with pytest.raises(ValueError, match="late"):
        await together(fails_late(), fails_soon(), answers())
    assert sorted(ended) == ["answers", "late", "soon"]
    assert await together(answers(), asyncio.sleep(0, "two")) == (1, "two")


async def test_who_waits_no_longer_stops_them() -> None:
    stopped = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    waiting = asyncio.create_task(together(forever(), forever()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert stopped.is_set()


@pytest.mark.parametrize("times", [1, 2])
async def test_what_is_slow_to_stop_is_waited_for_also_after_a_failure(times: int) -> None:
    stopped: list[str] = []

    async def fails() -> None:
        raise ValueError("at once")

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            stopped.append("slow")

    waiting = asyncio.create_task(together(fails(), slow()))
    for _ in range(times):
        await asyncio.sleep(0.01)
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(asyncio.all_tasks()) == 1  # this one
    assert stopped == (["slow"] if times == 1 else [])
