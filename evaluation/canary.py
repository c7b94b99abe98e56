"""A few articles with what a version said of them once, to see whether its model still says the same. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import CopydeskError
from agent.intervals import wilson
from evaluation.labels import LabelledArticle, LabelledSet
from evaluation.matching import Span, tally
from evaluation.record import ArticleResult, GuidelineResult

LEAST_FINDINGS = 10  # fewer tell nothing
MOST_FAILED = 0.05  # of the checks
Z = 1.959963984540054  # of a 95 % interval


class CanariesUnreadable(CopydeskError):
    """Frozen canaries can't be read, or aren't what was frozen."""

    type = "canaries-unreadable"


class NothingToFreeze(CopydeskError):
    """The model answered about none of the articles."""

    type = "nothing-to-freeze"


class Canary(BaseModel):
    """An article, and the answers it got when it was frozen."""

    model_config = ConfigDict(frozen=True)

    article: LabelledArticle  # without its labels
    answers: dict[str, tuple[Span, ...]]  # guideline -> findings, of those that a model answered


class Canaries(BaseModel):
    """What is asked again each day, as JSON Lines."""

    model_config = ConfigDict(frozen=True)

    all: tuple[Canary, ...]

    def dump(self) -> str:
        return "".join(f"{canary.model_dump_json(exclude_defaults=True)}\n" for canary in self.all)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.dump().encode()).hexdigest()

    @property
    def guidelines(self) -> tuple[str, ...]:
        return tuple(sorted({guideline for canary in self.all for guideline in canary.answers}))

    @classmethod
    def load(cls, text: str, digest: str) -> "Canaries":
        """Raises CanariesUnreadable where it has another digest."""
        try:
            found = cls(all=tuple(map(Canary.model_validate_json, filter(None, text.split("\n")))))
        except ValidationError as error:
            raise CanariesUnreadable(f"the frozen canaries can't be read: {error.errors()[0]['msg']}") from error
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise CanariesUnreadable(
                f"the frozen canaries don't have digest {digest[:12]}: somebody changed them, so delete their run in "
                "MLflow, and they are frozen anew"
            )
        return found


class Outcome(StrEnum):
    """Whether the model still says what it said."""

    SAME = "SAME"
    CHANGED = "CHANGED"
    UNCLEAR = "UNCLEAR"  # too few findings, too many failures, or too close to the line


@dataclass(frozen=True, slots=True)
class Difference:
    """A guideline that comes out otherwise on an article."""

    article: str
    guideline: str
    gone: int  # findings
    new: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of all findings then or now, the part that both have; a finding is the same where the words overlap."""

    both: int
    gone: int
    new: int
    checks: int  # a guideline on an article
    failed: int  # of them, now
    differences: tuple[Difference, ...]

    @property
    def findings(self) -> int:
        return self.both + self.gone + self.new

    @property
    def is_answered(self) -> bool:
        """Whether so few checks failed that the others speak for all."""
        return self.failed <= MOST_FAILED * self.checks

    @property
    def value(self) -> float | None:
        """Jaccard's index; None where nothing was found either time."""
        return self.both / self.findings if self.findings else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval, as if findings were independent of each other."""
        return None if self.value is None else wilson(self.value, self.findings, Z)


def pick(labelled: LabelledSet, count: int) -> tuple[LabelledArticle, ...]:
    """So many articles, the same ones each time and from all over the set: in the order of their ids' hashes."""
    ordered = sorted(labelled.articles, key=lambda article: hashlib.sha256(article.id.encode()).digest())
    return tuple(ordered[:count])


def freeze(
    articles: Iterable[LabelledArticle], results: Mapping[str, ArticleResult], guidelines: Sequence[str]
) -> Canaries:
    """`results` by article; guidelines that weren't checked on an article are left out there."""
    frozen = []
    for article in articles:
        answered = results[article.id].guidelines if article.id in results else {}
        answers = {id: answered[id].predicted for id in guidelines if id in answered and answered[id].checked}
        bare = article.model_copy(update={"spans": (), "negatives": (), "annotators": (), "slices": ()})
        if answers:
            frozen.append(Canary(article=bare, answers=answers))
    return Canaries(all=tuple(frozen))


def agreement(canaries: Canaries, now: Mapping[str, Mapping[str, GuidelineResult]]) -> Agreement:
    """`now`: article -> guideline -> result. What failed now is left out of the findings, and counted."""
    both = gone = new = checks = failed = 0
    differences = []
    for canary in canaries.all:
        for guideline, before in canary.answers.items():
            checks += 1
            result = now[canary.article.id].get(guideline)
            if result is None or not result.checked:
                failed += 1
                continue
            counted = tally(before, result.predicted)
            here = (int(counted.gold - counted.found), int(counted.false_alarms))
            both, gone, new = both + int(counted.found), gone + here[0], new + here[1]
            if any(here):
                differences.append(Difference(canary.article.id, guideline, *here))
    return Agreement(both, gone, new, checks, failed, tuple(differences))


def outcome_of(found: Agreement, line: float) -> Outcome:
    """CHANGED where even the upper end of the interval is under the line."""
    if found.value is None or found.interval is None:
        return Outcome.UNCLEAR
    if found.findings < LEAST_FINDINGS or not found.is_answered:
        return Outcome.UNCLEAR
    if found.value >= line:
        return Outcome.SAME
    return Outcome.CHANGED if found.interval[1] < line else Outcome.UNCLEAR
