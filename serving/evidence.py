"""What stands behind a served version, as the API and the pages tell it."""

from typing import Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

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


class Evidence(BaseModel):
    """The verified records of a version, with the figures of its decision."""

    model_config = ConfigDict(frozen=True)

    record: str  # id of the signed statement
    signer: str  # id of the key that signed it
    statement: Statement
    promotion: Promotion
    approvers: tuple[str, ...] = ()
    figures: tuple[GuidelineEvidence, ...] = ()


class _Decision(BaseModel):
    """The part of decision.json that is shown. Earlier ones have no figures."""

    figures: tuple[GuidelineEvidence, ...] = ()

    @classmethod
    def of(cls, text: str) -> Self:
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise UnreadableDecision(f"the decision's figures can't be read: {error.errors()[0]['msg']}") from error


FIGURES: TypeAdapter[tuple[GuidelineEvidence, ...]] = TypeAdapter(tuple[GuidelineEvidence, ...])


def figures_of(decision: str) -> tuple[GuidelineEvidence, ...]:
    """From a decision as JSON; empty where there is none. Raises UnreadableDecision."""
    return _Decision.of(decision).figures if decision else ()
