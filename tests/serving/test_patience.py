"""A time limit that counts the others' time only."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

import pytest

from serving.patience import PARTS, Patience


async def test_what_takes_too_long_is_ended() -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        async with Patience(0.1):
            await asyncio.Event().wait()
    assert time.monotonic() - begun >= 0.1


async def test_what_comes_in_time_is_left_alone() -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, failure: failures.append(failure))
    async with Patience(0.05):
        pass
    await asyncio.sleep(0.1)
    assert failures == []  # nothing is left of the timer


@pytest.mark.parametrize(("limit", "read"), [(Patience, True), (asyncio.timeout, False)])
async def test_an_answer_that_came_while_the_loop_stood_still_is_read(
    limit: Callable[[float], AbstractAsyncContextManager[object]], read: bool
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        writer.close()

    found = b""
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x")
        await asyncio.sleep(0.05)  # it is answered
        with suppress(TimeoutError):
            async with limit(0.1):
                asyncio.get_running_loop().call_soon(time.sleep, 0.3)
                found = await _slowly(reader)
        writer.close()
    assert bool(found) == read


async def _slowly(reader: asyncio.StreamReader) -> bytes:
    """In a few turns of the loop, as a client library reads; the first of them is slow."""
    for _ in range(PARTS // 2):
        await asyncio.sleep(0)
    return await reader.readexactly(1)


async def test_who_is_cancelled_is_cancelled() -> None:
    async def wait() -> None:
        async with Patience(30):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_fails_fails_as_it_is() -> None:
    with pytest.raises(ValueError, match="its own"):
        async with Patience(30):
            raise ValueError("its own")
