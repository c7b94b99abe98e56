"""What is done again and again until a process is told to stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agent.errors import CopydeskError

ERROR_SECONDS = 1.0  # at least, before what went wrong is tried again
OUTAGE_SECONDS = 3.0  # at most, before what was away is asked again

logger = logging.getLogger(__name__)


async def every(
    seconds: float,
    do: Callable[[], Awaitable[bool | None]],
    stopping: asyncio.Event,
    *,
    news: asyncio.Event | None = None,
) -> None:
    """Does it at once, and again whenever the seconds are over, it returned True, or there is news.

    What waits for news may wait long, and that something is back isn't announced: it is asked again soon. What goes
    wrong is logged, once while it stays the same: the next round may find it mended.
    """
    said = ""
    while not stopping.is_set():
        rest = seconds
        try:
            again = await do()
            said = ""
            if again:
                continue
        except CopydeskError as error:
            rest = max(min(seconds, OUTAGE_SECONDS) if news and error.outage else seconds, ERROR_SECONDS)
            if str(error) != said:
                logger.warning("%s", said := str(error))
        except Exception as error:
            rest = max(seconds, ERROR_SECONDS)
            if (found := f"{type(error).__name__}: {error}") != said:
                said = found
                # By its name alone: a method shows what it is bound to, down to the passwords in its settings.
                logger.exception("%s went wrong; it is tried again every %g s", do.__qualname__, rest)
        await pause(stopping, rest, news)


async def pause(stopping: asyncio.Event, seconds: float, news: asyncio.Event | None = None) -> None:
    """Sleeps, unless it is time to stop or there is news, which is taken."""
    waiting = [asyncio.create_task(event.wait()) for event in (stopping, news) if event]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    if news:
        news.clear()
