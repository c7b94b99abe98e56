"""How hard the endpoint is pressed: calls in flight, requests and tokens a minute, and pauses it asks for.

A window of a minute slides: in no 60 seconds are there more requests or tokens than the limits say. Tokens are
booked by estimate when a call starts and corrected when its usage is known.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit."""

    in_flight: int
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    @property
    def by_the_minute(self) -> bool:
        return self.requests_per_minute is not None or self.tokens_per_minute is not None


@dataclass(slots=True)
class Permit:
    """Leave to make one call. Set `tokens` to what the call really used."""

    tokens: int


class Limiter(Protocol):
    """Shared by all who call one endpoint."""

    def permit(self, tokens: int) -> AbstractAsyncContextManager[Permit]:
        """`async with limiter.permit(estimate) as permit:` waits for its turn and gives the place back."""

    async def pause(self, seconds: float) -> None:
        """Nobody starts a call for so long: the endpoint asked for it."""


class Window:
    """What was used in the last minute, or in so many seconds."""

    def __init__(self, seconds: float = WINDOW_SECONDS) -> None:
        self._seconds = seconds
        self._entries: deque[tuple[float, Permit]] = deque()

    def room(self, limits: Limits, tokens: int, now: float) -> float:
        """Seconds until a call of so many tokens may start; 0 when it may at once.

        A call that is over the limit by itself may start when the window is empty.
        """
        while self._entries and self._entries[0][0] <= now - self._seconds:
            self._entries.popleft()
        requests, used = len(self._entries), sum(permit.tokens for _, permit in self._entries)
        for started, permit in self._entries:
            fits = limits.requests_per_minute is None or requests < limits.requests_per_minute
            cheap = limits.tokens_per_minute is None or used + tokens <= limits.tokens_per_minute
            if fits and cheap:
                break
            requests, used = requests - 1, used - permit.tokens
            wait = started + self._seconds - now
        else:
            return wait if self._entries else 0.0
        return 0.0 if requests == len(self._entries) else wait

    def add(self, permit: Permit, now: float) -> None:
        self._entries.append((now, permit))


class ProcessLimiter:
    """The limits of one process; whoever comes first is served first."""

    def __init__(
        self, limits: Limits, *, window_seconds: float = WINDOW_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._places = asyncio.Semaphore(limits.in_flight)
        self._turn = asyncio.Lock()
        self._window = Window(window_seconds)
        self._paused_until = 0.0

    @asynccontextmanager
    async def permit(self, tokens: int) -> AsyncIterator[Permit]:
        async with self._turn:
            await self._places.acquire()
            try:
                while True:  # a pause may have come up while it slept
                    wait = self._wait(tokens)
                    if wait <= 0:
                        break
                    await asyncio.sleep(wait)
            except BaseException:
                self._places.release()
                raise
            permit = Permit(tokens)
            if self._limits.by_the_minute:
                self._window.add(permit, self._clock())
        try:
            yield permit
        finally:
            self._places.release()

    async def pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _wait(self, tokens: int) -> float:
        now = self._clock()
        return max(self._paused_until - now, self._window.room(self._limits, tokens, now))
