"""Requests of each user, counted within one process."""

from collections import OrderedDict
from dataclasses import dataclass

from serving.keys import RATE_WINDOW_SECONDS
from serving.ports.clocks import Ticks
from serving.ports.control import Allowance


@dataclass(slots=True)
class Window:
    ends: float
    count: int = 0


class MemoryRateLimits:
    """A user's window begins with the first request after the last one. N processes allow N times as much."""

    def __init__(self, ticks: Ticks, *, limit: int, window_seconds: float = RATE_WINDOW_SECONDS) -> None:
        self._ticks = ticks
        self._limit = limit
        self._window_seconds = window_seconds
        self._windows: OrderedDict[str, Window] = OrderedDict()  # those that end first come first

    async def take(self, user: str) -> Allowance:
        now = self._ticks()
        self._forget_ended(now)
        window = self._windows.setdefault(user, Window(now + self._window_seconds))
        window.count += 1
        return Allowance(
            allowed=window.count <= self._limit,
            limit=self._limit,
            window_seconds=self._window_seconds,
            remaining=max(0, self._limit - window.count),
            reset_seconds=window.ends - now,
        )

    def _forget_ended(self, now: float) -> None:
        while self._windows and next(iter(self._windows.values())).ends <= now:
            self._windows.popitem(last=False)
