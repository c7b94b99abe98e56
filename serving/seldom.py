"""What is said seldom, however often there is cause: somebody outside may give it."""

import time

from serving.ports.clocks import Ticks


class Seldom:
    """At most once in so many seconds."""

    def __init__(self, seconds: float, ticks: Ticks = time.monotonic) -> None:
        self._seconds = seconds
        self._ticks = ticks
        self._until = float("-inf")

    def due(self) -> bool:
        """Whether it is to be said now; then it isn't for a while."""
        if (now := self._ticks()) < self._until:
            return False
        self._until = now + self._seconds
        return True
