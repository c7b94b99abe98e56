"""Work that is done again and again until its process is told to stop."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from agent.errors import CopydeskError

ERROR_SECONDS = 1.0  # at least, before what went wrong is tried again

logger = logging.getLogger(__name__)


async def every(seconds: float, do: Callable[[], Awaitable[bool | None]], stopping: asyncio.Event) -> None:
    """Does it again and again, at once where it returns True.

    What goes wrong is logged, once while it stays the same: the next round may find it mended.
    """
    said = ""
    while not stopping.is_set():
        wait = seconds
        try:
            again = await do()
            said = ""
            if again:
                continue
        except CopydeskError as error:
            wait = max(seconds, ERROR_SECONDS)
            if str(error) != said:
                logger.warning("%s", said := str(error))
        except Exception as error:
            wait = max(seconds, ERROR_SECONDS)
            if (found := f"{type(error).__name__}: {error}") != said:
                said = found
                # By its name alone: a method shows what it is bound to, down to the passwords in its settings.
                logger.exception("%s went wrong; it is tried again every %g s", do.__qualname__, wait)
        await pause(stopping, wait)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Sleeps, unless it is time to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
