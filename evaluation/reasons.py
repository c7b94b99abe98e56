"""The sentences of a decision."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """What a reason does to a decision."""

    FOR = "for"
    AGAINST = "against"  # blocks
    OPEN = "open"  # keeps it from being decided
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence of a decision."""

    weight: Weight
    text: str


def counted(count: int, noun: str) -> str:
    """A number with its noun: "3 articles"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
