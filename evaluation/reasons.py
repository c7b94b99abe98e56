"""The sentences of a decision."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """What a reason does to a decision."""

    FOR = "for"
    AGAINST = "against"  # blocks
    OPEN = "open"  # keeps it from being decided
    NOTE = "note"


class Quantity(StrEnum):
    """What the figure of a reason is a figure of."""

    RECALL_CHANGE = "recall gained"  # in parts of the labelled violations
    ALARMS_CHANGE = "false alarms avoided"  # per 1,000 words
    RECALL = "recall"
    ALARMS = "false alarms"  # per 1,000 words
    RATIO = "times the champion's"
    FAILED = "checks failed"  # part of them


@dataclass(frozen=True, slots=True)
class Basis:
    """The figure that a reason rests on, with what it was held to."""

    name: str  # as in `quotes: recall`
    verdict: str
    quantity: Quantity
    value: float | None
    limit: float  # a margin, a floor, or what must not be exceeded
    room: float | None  # part of the limit that is left where it counts; negative: beyond it
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence of a decision."""

    weight: Weight
    text: str
    basis: Basis | None = None
    parts: tuple["Reason", ...] = ()  # that it sums up


def room_of(left: float, limit: float) -> float | None:
    """`left` in parts of the limit; None for a limit of 0."""
    return left / limit if limit else None


def counted(count: int, noun: str) -> str:
    """A number with its noun: "3 articles"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
