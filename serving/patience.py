"""A time limit for what others take, which doesn't count what this process itself held up."""

import asyncio
from types import TracebackType

PARTS = 10


class Patience:
    """`asyncio.timeout`, but a loop that stands still lets no time go by.

    Where a process is too busy for a while, the timer and the answer that came meanwhile are found together, and the
    block would be ended with its answer unread. Here a standstill counts as one of PARTS, however long it was.
    """

    def __init__(self, seconds: float) -> None:
        self._part, self._left = seconds / PARTS, PARTS
        self._timeout = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._timer = self._loop.call_later(self._part, self._go_by)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises TimeoutError where the time was over."""
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _go_by(self) -> None:
        self._left -= 1
        if self._left:
            self._timer = self._loop.call_later(self._part, self._go_by)
        else:
            self._timeout.reschedule(self._loop.time())  # at once
