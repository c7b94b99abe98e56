"""A gate's decision claim by claim, as workers tell it: the part of `decision.json` that is shown. Pure."""

import math
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from serving.evidence import Figure, UnreadableDecision

RECALL, FALSE_ALARMS = "recall", "false alarms"  # what is claimed of a guideline, in this order
SEPARATOR = ": "  # between a guideline, or several together, and what is claimed of it
DECIDES = {"PROMOTE": "for", "BLOCK": "against", "INCONCLUSIVE": "open"}  # outcome -> weight of what decided
STATUSES = {
    "unchanged": "unchanged: judges as before",
    "added": "new: held to the floors alone",
    "removed": "not in this version",
}
FIRST = "first champion: held to the floors alone"


class Ruling(BaseModel):
    """A claim that the version loses less than `margin` on one figure, with its evidence.

    Changes are in parts of the labelled violations, or false alarms per 1,000 words; more is better.
    """

    model_config = ConfigDict(frozen=True)

    name: str  # `attribution: recall`, or of a category `supporting, style: recall`
    tier: str
    deciding: bool
    verdict: str  # no worse, worse, drop within margin, not enough data
    change: float | None
    low: float | None  # one-sided bound, of this claim alone
    high: float | None  # one-sided bound, of all claims at once
    margin: float
    smallest_drop: float | None  # that the labelled articles can rule out
    missing_groups: int  # of labelled articles that the margin takes besides
    weight: str = ""  # what it did to the decision; empty: nothing, or the decision of an earlier release

    @property
    def subject(self) -> str:
        """The guideline; of a category the tier and the category, which is no guideline's id."""
        return self.name.rpartition(SEPARATOR)[0]

    @property
    def measure(self) -> str:
        return self.name.rpartition(SEPARATOR)[2]

    @property
    def figure(self) -> Figure:
        return Figure(value=self.change, low=self.low, high=self.high)


class Quantity(StrEnum):
    """What the figure of a ground is a figure of."""

    RECALL_CHANGE = "recall gained"  # in parts of the labelled violations
    ALARMS_CHANGE = "false alarms avoided"  # per 1,000 words
    RECALL = "recall"
    ALARMS = "false alarms"  # per 1,000 words
    RATIO = "times the champion's"
    FAILED = "checks failed"  # part of them


class Ground(BaseModel):
    """A reason of the decision, with the figure it rests on where it rests on one."""

    model_config = ConfigDict(frozen=True)

    weight: str  # for, against, open, note
    text: str
    name: str = ""  # of what was claimed; empty: the sentence says it all
    verdict: str = ""
    quantity: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None  # a margin, a floor, or what must not be exceeded
    room: float | None = None  # part of the limit that is left where it counts; negative: beyond it

    @property
    def figure(self) -> Figure:
        return Figure(value=self.value, low=self.low, high=self.high)


class OnGuideline(NamedTuple):
    """What a decision says of one guideline."""

    words: str
    rulings: tuple[Ruling, ...]  # recall first; empty: nothing was claimed of it


class GateDecision(BaseModel):
    """Why a gate decided as it did. Decisions of earlier releases have sentences without figures, and no statuses."""

    model_config = ConfigDict(frozen=True)

    outcome: str
    against: str | None  # the champion's number, empty for one from files; null: there was none
    made: datetime | None = None
    grounds: tuple[Ground, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    statuses: dict[str, str] = {}  # guideline -> how it stands in both versions

    @property
    def deciding(self) -> tuple[Ground, ...]:
        """What carried it, blocked it or kept it open: the tightest first, and last what has no figure."""
        weight = DECIDES.get(self.outcome)
        found = (ground for ground in self.grounds if ground.weight == weight)
        return tuple(sorted(found, key=lambda ground: math.inf if ground.room is None else ground.room))

    def on(self, guideline: str) -> OnGuideline | None:
        """None where it says nothing of the guideline."""
        found = sorted(
            (ruling for ruling in self.rulings if ruling.subject == guideline),
            key=lambda ruling: ruling.measure != RECALL,
        )
        if found:
            return OnGuideline(in_words(found), tuple(found))
        if self.against is None:
            return OnGuideline(FIRST, ())
        status = self.statuses.get(guideline, "")
        return OnGuideline(STATUSES[status], ()) if status in STATUSES else None


def in_words(rulings: Iterable[Ruling]) -> str:
    """`no worse`, where all say the same, else `recall worse, false alarms no worse`."""
    each = {ruling.measure: ruling.verdict for ruling in rulings}
    if len(each) > 1 and len(set(each.values())) == 1:
        return next(iter(each.values()))
    return ", ".join(f"{measure} {verdict}" for measure, verdict in each.items())


class _Side(BaseModel):
    """The champion's part of a decision."""

    version: dict[str, Any] = {}


class _Published(BaseModel):
    """The part of decision.json that is read here."""

    outcome: str = ""
    champion: _Side | None = None
    made: datetime | None = None
    reasons: tuple[tuple[str, str], ...] = ()
    grounds: tuple[Ground, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    statuses: dict[str, str] = {}

    @classmethod
    def of(cls, text: str) -> Self:
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise UnreadableDecision(f"the decision's rulings can't be read: {error.errors()[0]['msg']}") from error


def decision_of(decision: str) -> GateDecision | None:
    """From a decision as JSON; None where there is none. Raises UnreadableDecision."""
    if not decision:
        return None
    said = _Published.of(decision)
    return GateDecision(
        outcome=said.outcome,
        against=str(said.champion.version.get("number", "")) if said.champion else None,
        made=said.made,
        grounds=said.grounds or tuple(Ground(weight=weight, text=text) for weight, text in said.reasons),
        rulings=said.rulings,
        statuses=said.statuses,
    )
