"""What is signed: why a version may serve, who stands behind it, and when it became champion.

These are small values of their own, so that a worker can hold them against a version without knowing how anybody
evaluates. The whole of a gate's decision is named by its SHA-256.
"""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

NO_CHAMPION = "none"


class Kind(StrEnum):
    """What a version serves by."""

    GATE = "gate"  # held against the champion
    FIRST = "first"  # there was no champion: floors alone decided
    FORCED = "forced"
    ROLLBACK = "rollback"


DECIDED = frozenset({Kind.GATE, Kind.FIRST})


class Statement(BaseModel):
    """Why a version may serve, or may not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Literal["decision"] = "decision"  # what is signed as one thing is never read as another
    kind: Kind
    outcome: str = ""  # of the gate; empty where none was asked
    number: int
    version_digest: str
    code_digest: str
    pack_digest: str
    champion: int | None  # the version that served meanwhile
    champion_digest: str = NO_CHAMPION
    labelled_set: str = ""  # name and split
    set_digest: str = ""
    policy: str = ""
    policy_digest: str = ""
    run: str = ""  # the decision's MLflow run
    decision_digest: str = ""  # SHA-256 of decision.json in it
    approvals: int = 1  # people that must stand behind it, whoever decided among them
    reason: str = ""  # of a forced promotion or a rollback
    restores: str = ""  # of a rollback: id of the record it goes back to
    restored_evidence: str = ""  # and what that version served by
    who: str
    signed_in: str = ""  # how the service knew them: `URL as key:ID`; empty: the name of a user of the machine
    made: AwareDatetime

    @property
    def evidence(self) -> str:
        """As the version carries it wherever it is shown."""
        if self.kind is Kind.FORCED:
            return f"forced: {self.reason}"
        if self.kind is Kind.ROLLBACK:
            return f"{self.restored_evidence}; rolled back to: {self.reason}"
        if self.kind is Kind.FIRST:
            return f"gate: {self.outcome}, the first champion, held to the floors on {self.labelled_set}"
        return f"gate: {self.outcome} against version {self.champion or 'from files'} on {self.labelled_set}"


class Approval(BaseModel):
    """Somebody else stands behind a decision, too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Literal["approval"] = "approval"
    record: str  # digest of the decision's signed record
    who: str  # as the service's sign-in said
    signed_in: str
    made: AwareDatetime


class Trial(BaseModel):
    """Somebody who may promote lets a version serve a share of the articles beside the champion, in one rollout."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Literal["trial"] = "trial"
    rollout: str  # its id: consent to one is none to another
    number: int
    champion: int  # the version beside which it serves
    record: str  # digest of the signed decision it rests on
    terms: str  # digest of the rollout's stages and limits
    who: str
    signed_in: str = ""
    at: AwareDatetime
    until: AwareDatetime


class Promotion(BaseModel):
    """One move of the champion. It is written down before the alias moves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Literal["promotion"] = "promotion"
    number: int  # the version that became champion
    previous: int | None  # the champion before; None for the first
    previous_digest: str = ""  # of that version, NO_CHAMPION for the first; empty in those of earlier releases
    after: AwareDatetime | None = None  # moment of the newest promotion that was there; None for the first
    kind: Kind
    record: str  # digest of the signed record it rests on
    evidence: str  # that record's, in words
    reason: str = ""
    who: str
    signed_in: str = ""
    at: AwareDatetime

    @property
    def is_ungated(self) -> bool:
        """Whether no gate said that this version may serve."""
        return self.evidence.startswith(f"{Kind.FORCED}:")

    def __str__(self) -> str:
        ungated = ", ungated" if self.is_ungated else ""
        return f"version {self.number} is champion{ungated}: {self.evidence}"
