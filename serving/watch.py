"""Who wants to hear of which jobs, and one question to the database for all of them."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import suppress

from agent.errors import CopydeskError

POLL_SECONDS = 0.25
REMIND_SECONDS = 5.0  # a job's place in the queue moves without a change of its own

logger = logging.getLogger(__name__)

Revisions = Callable[[Iterable[str]], Awaitable[dict[str, int]]]


class Watch:
    """Wakes whoever follows a job when its revision has changed. Asks only while somebody follows one."""

    def __init__(self, revisions: Revisions, *, seconds: float = POLL_SECONDS) -> None:
        self._revisions = revisions
        self._seconds = seconds
        self._followers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._known: dict[str, int] = {}
        self._asking: asyncio.Task[None] | None = None
        self._ended = False

    @property
    def followed(self) -> int:
        """How many jobs somebody follows."""
        return len(self._followers)

    async def changes(self, job_id: str) -> AsyncGenerator[None]:
        """Once at the beginning, then after each change and each REMIND_SECONDS without one; many at once are one.

        Ends when `end` is called.
        """
        changed = asyncio.Event()
        self._followers[job_id].add(changed)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            while not self._ended:
                yield
                with suppress(TimeoutError):
                    async with asyncio.timeout(REMIND_SECONDS):
                        await changed.wait()
                changed.clear()
        finally:
            self._followers[job_id].discard(changed)
            if not self._followers[job_id]:
                del self._followers[job_id]
                self._known.pop(job_id, None)

    def end(self) -> None:
        """Ends what everybody follows: the process is about to stop, and they go on elsewhere."""
        self._ended = True
        for followers in self._followers.values():
            for changed in followers:
                changed.set()

    async def close(self) -> None:
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            while self._followers:
                await self._ask_once()
                await asyncio.sleep(self._seconds)
        finally:
            self._asking = None

    async def _ask_once(self) -> None:
        try:
            found = await self._revisions(list(self._followers))
        except CopydeskError as error:  # the database is away: the next round may find it
            logger.warning("%s", error)
            return
        for job_id, revision in found.items():
            if self._known.get(job_id) != revision:  # also at first: it may have changed since its follower looked
                for follower in self._followers.get(job_id, ()):
                    follower.set()
            if job_id in self._followers:
                self._known[job_id] = revision
