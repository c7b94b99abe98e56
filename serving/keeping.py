"""A lock that is kept while something runs that may take longer than the lock is given for."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from agent.errors import CopydeskError
from serving.ports.clocks import Clock
from serving.ports.control import Locks

logger = logging.getLogger(__name__)


@asynccontextmanager
async def kept(locks: Locks, lock: str, holder: str, *, clock: Clock, term: timedelta) -> AsyncIterator[None]:
    """Renews it for the block; where it can't, the block goes on, and another process may take the lock."""
    keeping = asyncio.create_task(_keep(locks, lock, holder, clock, term))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
        if not keeping.cancelled():
            logger.error("the lock %s was not kept to the end", lock, exc_info=keeping.exception())


async def _keep(locks: Locks, lock: str, holder: str, clock: Clock, term: timedelta) -> None:
    while True:
        await asyncio.sleep(term.total_seconds() / 3)
        try:
            await locks.hold(lock, holder, clock(), term)
        except CopydeskError as error:
            logger.warning("the lock %s could not be kept: %s", lock, error)
