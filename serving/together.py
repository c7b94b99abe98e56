"""Several things at the same time, without anything that goes on afterwards."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@overload
async def together(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...
@overload
async def together(first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /) -> tuple[A, B, C]: ...
async def together(*works: Awaitable[Any]) -> tuple[Any, ...]:
    """Their results, when all of them have ended; raises what the first that failed did, in the order they are named.

    `asyncio.gather` raises what failed soonest, and leaves the others to go on: with a connection to the database when
    that is closed.
    """
    ended = await asyncio.gather(*works, return_exceptions=True)
    for result in ended:
        if isinstance(result, BaseException):
            raise result
    return tuple(ended)
