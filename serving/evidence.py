"""What stands behind a served version, as the API and the pages tell it."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agent.check import AnsweredBy
from agent.errors import CopydeskError
from registry.statement import Promotion, Statement


class UnreadableDecision(CopydeskError):
    """A decision that was published in another shape than this release reads."""

    type = "unreadable-decision"


class Figure(BaseModel):
    """An estimate with its 95 % interval; null where it is undefined."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None
    high: float | None


class GuidelineEvidence(BaseModel):
    """What the version reached on the labelled violations of one guideline."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    labelled: float  # violations
    recall: Figure
    precision: Figure
    false_alarms: Figure  # per 1,000 words


class Expiry(BaseModel):
    """Since when evidence doesn't speak for what answers any more, and why."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    reason: str


class Evidence(BaseModel):
    """The verified records of a version, with the figures of its decision."""

    model_config = ConfigDict(frozen=True)

    record: str  # id of the signed statement
    signer: str  # id of the key that signed it
    statement: Statement
    promotion: Promotion | None = None  # None: it serves a share of the articles by its decision
    approvers: tuple[str, ...] = ()
    figures: tuple[GuidelineEvidence, ...] = ()
    evaluation: str = ""  # its run in MLflow; empty where none was made
    answered_by: tuple[AnsweredBy, ...] = ()  # what answered for the version's model then
    expired: Expiry | None = None  # None: it holds
    noted: tuple[AnsweredBy, ...] = ()  # what else has answered since

    @property
    def is_ungated(self) -> bool:
        """Whether no gate said that this version may serve."""
        return self.promotion is not None and self.promotion.is_ungated

    def for_guideline(self, id: str) -> GuidelineEvidence | None:
        return next((each for each in self.figures if each.guideline == id), None)


class _Side(BaseModel):
    """The part of a decision that says which evaluation speaks for a version."""

    run: str = ""
    answered_by: tuple[AnsweredBy, ...] = ()


class _Decision(BaseModel):
    """The part of decision.json that is shown. Earlier ones have no figures."""

    figures: tuple[GuidelineEvidence, ...] = ()
    challenger: _Side = _Side()

    @classmethod
    def of(cls, text: str) -> Self:
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise UnreadableDecision(f"the decision's figures can't be read: {error.errors()[0]['msg']}") from error


FIGURES: TypeAdapter[tuple[GuidelineEvidence, ...]] = TypeAdapter(tuple[GuidelineEvidence, ...])
ANSWERED: TypeAdapter[tuple[AnsweredBy, ...]] = TypeAdapter(tuple[AnsweredBy, ...])


class Measured(BaseModel):
    """What a decision says of the evaluation of the version that it let serve."""

    model_config = ConfigDict(frozen=True)

    figures: tuple[GuidelineEvidence, ...] = ()
    evaluation: str = ""
    answered_by: tuple[AnsweredBy, ...] = ()


def measured_of(decision: str) -> Measured:
    """From a decision as JSON; empty where there is none. Raises UnreadableDecision."""
    if not decision:
        return Measured()
    said = _Decision.of(decision)
    return Measured(figures=said.figures, evaluation=said.challenger.run, answered_by=said.challenger.answered_by)
