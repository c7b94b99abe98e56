"""Waiting for what a test goes on with: as soon as it holds, and long enough for a machine that does other things."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

PATIENCE = 60.0
POLL_SECONDS = 0.05
BRIEF_SECONDS = 0.005  # within one process


def eventually(what: str, found: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `found` returns as soon as that is true; fails after a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(POLL_SECONDS)
    pytest.fail(f"not within {seconds:.0f} seconds: {what}")


async def soon(what: str, found: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The same beside other tasks of the loop; `found` may have to be awaited."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = found()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        await asyncio.sleep(BRIEF_SECONDS)
    pytest.fail(f"not within {seconds:.0f} seconds: {what}")


async def alone(what: str) -> None:
    """Waits until no other task of the loop is left, so that nothing more can happen by itself."""
    await soon(what, lambda: len(asyncio.all_tasks()) == 1)
