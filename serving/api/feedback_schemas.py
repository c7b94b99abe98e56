"""What crosses the wire about decisions. Findings are named by their fingerprints."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag, model_validator

from agent.score import Band, Score
from serving.api.given import Given
from serving.feedback import Action, Approval, ApprovalStatus, Decision, Entry, Reason, State
from serving.figures import GuidelineFigures, Precision
from serving.usecases.approve import Dismissal

MOST_DECISIONS = 500  # in one request
Fingerprint = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Comment = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1000)]  # PostgreSQL stores no NUL


class DecisionIn(Given):
    """What an editor says of a finding. A dismissal needs a reason and may have a comment."""

    finding: Fingerprint
    action: Action
    reason: Reason | None = None
    comment: Comment = ""

    @model_validator(mode="after")
    def _only_dismissals_have_reasons(self) -> Self:
        if self.action is Action.DISMISS and self.reason is None:
            raise ValueError(f"a dismissal needs a reason, one of {', '.join(Reason)}")
        if self.action is not Action.DISMISS and (self.reason is not None or self.comment):
            raise ValueError(f"reason and comment go with dismiss only, not with {self.action}")
        return self

    @property
    def decision(self) -> Decision:
        return Decision(self.finding, self.action, self.reason, self.comment)


def _how_many(body: object) -> Literal["decision", "decisions"]:
    return "decisions" if isinstance(body, list) else "decision"


One = Annotated[DecisionIn, Tag("decision")]
Several = Annotated[list[DecisionIn], Field(min_length=1, max_length=MOST_DECISIONS, fail_fast=True), Tag("decisions")]
DecisionsIn = Annotated[One | Several, Discriminator(_how_many)]


class ApprovalOut(BaseModel):
    """What a guideline owner said of a dismissal; `by` and `at` are null while nobody has."""

    status: ApprovalStatus
    by: str | None
    at: datetime | None
    comment: str

    @classmethod
    def of(cls, approval: Approval) -> Self:
        return cls(status=approval.status, by=approval.by or None, at=approval.at, comment=approval.comment)


class DecidedOut(BaseModel):
    """What stands on a finding. A finding that isn't listed is undecided."""

    finding: str
    guideline: str
    state: State
    counts: bool  # in the score
    reason: Reason | None
    comment: str
    by: str
    at: datetime
    job_id: str  # with whose report it was decided: an earlier check of the document, perhaps
    approval: ApprovalOut | None  # null: none is needed

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(
            finding=entry.decision.finding,
            guideline=entry.guideline,
            state=entry.state,
            counts=entry.counts,
            reason=entry.decision.reason,
            comment=entry.decision.comment,
            by=entry.user,
            at=entry.at,
            job_id=entry.job_id,
            approval=ApprovalOut.of(entry.approval) if entry.approval else None,
        )


class FeedbackOut(BaseModel):
    """Decisions on a report, and the score they leave."""

    job_id: str
    score: Score | None  # with what it is made of now; null: no guideline was checked
    band: Band | None
    findings: int  # that count in it
    etag: str  # of the job's result as it is now
    feedback: list[DecidedOut]


class JudgementIn(Given):
    """What a guideline owner has to say of it."""

    comment: Comment = ""


class DismissalOut(BaseModel):
    """A dismissal that needs an approval, with the words it is about while the article is kept."""

    id: int
    document: str | None  # its id; null: it has none
    version: str
    decided: DecidedOut
    quote: str | None
    passage: str | None  # the paragraph of the quote
    message: str | None

    @classmethod
    def of(cls, dismissal: Dismissal) -> Self:
        entry, passage = dismissal.entry, dismissal.passage
        return cls(
            id=entry.id,
            document=entry.document.removeprefix("id:") if entry.document.startswith("id:") else None,
            version=entry.version,
            decided=DecidedOut.of(entry),
            quote=passage.finding.quote if passage else None,
            passage=passage.text if passage else None,
            message=passage.finding.message if passage else None,
        )


class DismissalsOut(BaseModel):
    """A page of dismissals that wait for an approval, the oldest first."""

    dismissals: list[DismissalOut]
    next: str | None


class PrecisionOut(BaseModel):
    """Of findings known to be right or wrong, the part that is right, with Wilson's 95 % interval."""

    value: float
    low: float
    high: float
    findings: int

    @classmethod
    def of(cls, found: Precision) -> Self:
        return cls(
            value=round(found.value, 4), low=round(found.low, 4), high=round(found.high, 4), findings=found.findings
        )


class FigureOut(BaseModel):
    """What became of a guideline's findings under one version. `raised = accepted + dismissed + undecided`."""

    guideline: str
    version: str
    raised: int
    accepted: int
    dismissed: dict[Reason, int]
    pending: int  # of the dismissed, without the approval they need
    declined: int  # of the dismissed
    undecided: int
    precision: PrecisionOut | None  # null: nothing is known to be right or wrong

    @classmethod
    def of(cls, found: GuidelineFigures) -> Self:
        return cls(
            guideline=found.guideline,
            version=found.version,
            raised=found.raised,
            accepted=found.accepted,
            dismissed=found.dismissed,
            pending=found.pending,
            declined=found.declined,
            undecided=found.undecided,
            precision=PrecisionOut.of(found.precision) if found.precision else None,
        )


class FiguresOut(BaseModel):
    """Figures by guideline and version, of articles submitted and decisions made since."""

    since: datetime
    figures: list[FigureOut]
