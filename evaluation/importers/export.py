"""What an export says, before any of it is believed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class ExportFormat(StrEnum):
    """What can be imported."""

    PTC = "ptc"
    BRAT = "brat"
    DOCCANO = "doccano"
    LABEL_STUDIO = "label-studio"
    PRODIGY = "prodigy"
    CSV = "csv"


class OffsetUnit(StrEnum):
    """What the offsets of an export count."""

    CODE_POINTS = "code-points"
    UTF16 = "utf-16"


UNIT_NAMES = {OffsetUnit.CODE_POINTS: "code points", OffsetUnit.UTF16: "UTF-16 units"}


class Reason(StrEnum):
    """Why something of an export is not imported."""

    MALFORMED = "can't be read"
    CONTRADICTION = "contradicts another record"
    NOT_ACCEPTED = "rejected by its annotator"
    NO_TEXT = "has no usable text"
    UNKNOWN_LABEL = "label of no guideline"
    OUTSIDE = "outside the text"
    EMPTY = "empty"
    SURROGATE = "inside a surrogate pair"
    QUOTE = "quote differs"
    NOT_IN_TEXT = "not in the article's text"
    OVERLAP = "overlaps another of its guideline"


@dataclass(frozen=True, slots=True)
class BadSpan:
    """A label, or a whole record, that is not imported."""

    place: str  # file:line, or file and number of the record
    reason: Reason
    said: str


class Part(NamedTuple):
    """A run of labelled characters, in the export's unit, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A label as it stands in the export."""

    place: str
    label: str
    parts: tuple[Part, ...]  # several for a discontinuous one
    quote: str | None = None  # the words it is of, where the export has them
    annotator: str = ""


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A text with its labels; one document may come in several records."""

    place: str
    id: str
    text: str
    spans: tuple[RawSpan, ...] = ()
    annotators: tuple[str, ...] = ("",)  # who read it; empty for one that the export doesn't name
    group: str = ""
    title: str = ""
    split: str = ""


@dataclass(slots=True)
class Export:
    """All that was found in an export, filled while it is read."""

    documents: list[RawDocument] = field(default_factory=list)
    bad: list[BadSpan] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)  # what is no label of words: relations, comments

    def reject(self, place: str, reason: Reason, said: str) -> None:
        self.bad.append(BadSpan(place, reason, said))


@dataclass(frozen=True, slots=True)
class Format:
    """How exports of one tool are read."""

    read: Callable[[Path, Path | None], Export]  # the source, and the folder of its texts
    unit: OffsetUnit = OffsetUnit.CODE_POINTS
    texts_apart: bool = False  # texts stand in files of their own
