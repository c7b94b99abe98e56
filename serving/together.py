"""Several things at the same time, without anything that goes on afterwards."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@overload
async def together(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...
@overload
async def together(first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /) -> tuple[A, B, C]: ...
async def together(first: Awaitable[Any], *others: Awaitable[Any]) -> tuple[Any, ...]:
    """Their results, when all of them have ended; raises what the first that failed did, in the order they are named.

    `asyncio.gather` raises what failed soonest, and leaves the others to go on: with a connection to the database when
    that is closed. It also makes a task of each, where the first can be waited for as it is.
    """
    begun = [asyncio.ensure_future(other) for other in others]
    try:
        return (await first, *[await one for one in begun])
    except asyncio.CancelledError:
        for one in begun:
            one.cancel()
        raise
    finally:
        await _ended(begun)


async def _ended(begun: Sequence[asyncio.Future[Any]]) -> None:
    """Who stops waiting stops them, and waits until they have."""
    stopped: asyncio.CancelledError | None = None
    while going := [one for one in begun if not one.done()]:
        try:
            await asyncio.wait(going)
        except asyncio.CancelledError as error:
            stopped = error
            for one in going:
                one.cancel()
    for one in begun:
        if not one.cancelled():
            one.exception()  # asyncio logs a failure that nobody asked for
    if stopped is not None:
        raise stopped
