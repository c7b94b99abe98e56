"""Who did what: kept for whoever has to answer for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serving.ports import Cursor


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: str
    at: datetime
    user: str
    via: str  # what they signed in with; `command` for the command line
    action: str  # a verb and what it is done to: key.create
    subject: str  # which one
    detail: str = ""


class Audit(Protocol):
    """Entries are only added, and removed by retention."""

    async def note(self, *entries: AuditEntry) -> None: ...

    async def page(self, before: Cursor | None, limit: int) -> list[AuditEntry]:
        """The latest first, from the cursor on."""
