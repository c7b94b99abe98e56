"""Who did what: kept for whoever has to answer for it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step."""

    user: str
    via: str  # what they signed in with; `command` for the command line


WORKER = Actor("worker", "worker")  # what nobody asked for


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: str
    at: datetime
    user: str
    via: str  # as an actor's
    action: str  # a verb and what it is done to: key.create
    subject: str  # which one
    detail: str = ""
