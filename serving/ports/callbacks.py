"""Calls to addresses that clients named."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from serving.callback import Callback, CallbackStanding


class Callbacks(Protocol):
    """Calls to clients' own addresses, each handed to one worker at a time."""

    async def is_due(self, now: datetime) -> bool:
        """Whether some call is to be made now."""

    async def claim(self, now: datetime, hold: timedelta) -> Callback | None:
        """The call that is due, hidden from others until `hold` is over."""

    async def answered(self, callback: Callback) -> bool:
        """False when this attempt took too long and somebody else has the call."""

    async def postponed(self, callback: Callback, until: datetime | None, reason: str) -> bool:
        """Has the call made again then, or never; False as above."""

    async def unanswered(self, limit: int) -> list[CallbackStanding]:
        """Those that wait or were given up, the latest first."""

    async def count_unanswered(self) -> int:
        """How many those are."""


class Caller(Protocol):
    """Makes calls to addresses that clients named."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer; raises CopydeskError when there is none or the address may not be called."""
