"""What is looked at now and then, to see whether what serves is still what was evaluated."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from serving.telling import PutOff


class Verdict(StrEnum):
    """What a look came to."""

    FINE = "fine"
    ALARM = "alarm"  # somebody has to do something
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Look:
    verdict: Verdict
    said: str  # in a sentence
    soon: bool = False  # what was asked didn't answer, so it is asked again within the hour


@dataclass(frozen=True, slots=True)
class Monitored:
    """What became of a monitor that was due."""

    monitor: str
    came_to: Look | PutOff

    @property
    def verdict(self) -> Verdict | None:
        """None where it couldn't look."""
        return self.came_to.verdict if isinstance(self.came_to, Look) else None


class Monitor(Protocol):
    """One process at a time looks for all of them."""

    @property
    def name(self) -> str:
        """Of its lock, too."""

    @property
    def every(self) -> timedelta: ...

    async def look(self) -> Look: ...
