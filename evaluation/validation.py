"""What is expected of a labelled set, and what was found, as values."""

from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

MAX_EXAMPLES = 20  # that are kept of one expectation


class Level(StrEnum):
    """What a failed expectation means: a set with an error judges nothing."""

    ERROR = "error"
    WARNING = "warning"


class Limits(BaseModel):
    """Where expectations draw their lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    violations: int = Field(default=30, ge=0)  # of a guideline in a split: 30 tell a recall to ± 17 points
    negatives: float = Field(default=0.2, ge=0, le=1)  # part of a guideline's labels that are hard negatives
    similarity: float = Field(default=0.5, gt=0, le=1)  # Jaccard, from which on two articles are near-duplicates
    shared_words: int = Field(default=4, ge=1)  # of a quote, from which on it must not stand in two splits


class Expectation(BaseModel):
    """One expectation, and how the set met it."""

    model_config = ConfigDict(frozen=True)

    name: str  # as metrics have it: unique-ids
    title: str
    level: Level
    seen: int = Field(ge=0)  # articles, labels, or guidelines of a split
    failed: int = Field(ge=0)  # of those
    examples: tuple[str, ...] = ()  # of what failed, a sentence each that begins with its place; the first 20

    @property
    def met(self) -> bool:
        return self.failed == 0


class Validation(BaseModel):
    """All expectations of one set, in the order they are shown."""

    model_config = ConfigDict(frozen=True)

    set_name: str
    set_digest: str
    pack: str
    splits: tuple[str, ...]
    articles: int
    words: int
    labels: int
    limits: Limits
    expectations: tuple[Expectation, ...]

    @cached_property
    def errors(self) -> tuple[Expectation, ...]:
        return tuple(e for e in self.expectations if not e.met and e.level is Level.ERROR)

    @cached_property
    def warnings(self) -> tuple[Expectation, ...]:
        return tuple(e for e in self.expectations if not e.met and e.level is Level.WARNING)

    @property
    def sound(self) -> bool:
        return not self.errors
