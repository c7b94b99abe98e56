"""Who may how often, and what is switched, locked and noted for all processes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from serving.access.audit import Actor, AuditEntry
from serving.ports.jobs import Cursor

DRAIN = "drain"  # the name of a switch: no articles are accepted


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a user may make this request, and how many more until the window ends."""

    allowed: bool
    limit: int
    window_seconds: float
    remaining: int | None  # None: it isn't known how many were made
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class Switch:
    """What an administrator has switched on for all processes."""

    name: str
    reason: str
    user: str
    at: datetime


class RateLimits(Protocol):
    """How many requests each user may make in a window of time."""

    async def take(self, user: str) -> Allowance:
        """Counts a request; it is allowed when nobody can count."""


class Revocations(Protocol):
    """Sessions that were ended before their time."""

    async def revoke(self, id: str, seconds: float) -> bool:
        """Keeps an id for as long as a token would be good; False when it was kept before."""

    async def is_revoked(self, *ids: str) -> bool:
        """Whether any of them is."""

    def is_known(self, *ids: str) -> bool:
        """Whether this process knows by itself that one of them is, without asking."""


class Switches(Protocol):
    """Switches for all processes."""

    async def get(self, name: str) -> Switch | None:
        """None where it is off."""

    async def turn_on(self, switch: Switch, *, via: str) -> None:
        """Noted in the audit, as its user's step."""

    async def turn_off(self, name: str, by: Actor, now: datetime) -> bool:
        """Whether it was on; then it is noted in the audit."""


class Locks(Protocol):
    """Work that one worker at a time does for all of them."""

    async def hold(self, name: str, holder: str, now: datetime, term: timedelta) -> bool:
        """Takes a lock or keeps it; False while somebody else has it."""

    async def release(self, name: str, holder: str) -> None: ...


class Audit(Protocol):
    """Entries are only added, and removed by retention. Steps that change the database are noted where they do."""

    async def note(self, by: Actor, action: str, subject: str, detail: str = "", *, now: datetime) -> None: ...

    async def page(self, before: Cursor | None, limit: int) -> list[AuditEntry]:
        """The latest first, from the cursor on."""
