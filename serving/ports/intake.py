"""What holds for every article that comes in."""

from dataclasses import dataclass
from typing import Protocol

from serving.ports.control import Switch
from serving.ports.versions import BoundVersion


@dataclass(frozen=True, slots=True)
class Terms:
    """Whether articles are accepted, and what they are checked by."""

    drain: Switch | None  # None: they are
    champion: BoundVersion | None  # None: no worker serves one yet


class Intake(Protocol):
    async def terms(self) -> Terms:
        """At this moment. Each article asks it, so it is one question together."""
