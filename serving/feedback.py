"""What editors say of findings. Pure; stores keep every entry as it was made, and the latest one stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from serving.job import Job


class Action(StrEnum):
    """What an editor does with a finding."""

    ACCEPT = "accept"
    DISMISS = "dismiss"
    UNDO = "undo"  # what was said before no longer stands


class Reason(StrEnum):
    """Why a finding is dismissed."""

    FALSE_ALARM = "false-alarm"  # the guideline isn't broken here
    NOT_IN_THIS_CONTEXT = "not-in-this-context"  # nor does it apply to what is said here
    QUOTATION = "quotation"  # somebody else's words
    STYLE_CHOICE = "style-choice"  # it is broken, on purpose
    HOUSE_EXCEPTION = "house-exception"  # it is broken, and the house allows that here
    OTHER = "other"


class Dismissals(StrEnum):
    """When a dismissed finding stops counting in the score."""

    AT_ONCE = "at-once"
    APPROVAL = "approval"  # when a guideline owner has approved it


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"


class State(StrEnum):
    """How a finding stands with its editor."""

    NONE = "none"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    PENDING = "dismissed-pending"  # still counts
    DECLINED = "dismissed-declined"  # counts: a guideline owner has said so


OF_APPROVAL = {
    ApprovalStatus.PENDING: State.PENDING,
    ApprovalStatus.APPROVED: State.DISMISSED,
    ApprovalStatus.DECLINED: State.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is said of one finding. Only a dismissal has a reason and a comment."""

    finding: str  # fingerprint
    action: Action
    reason: Reason | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """What became of a dismissal that needs a guideline owner's approval."""

    status: ApprovalStatus
    by: str = ""
    at: datetime | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision as it was made. `id` grows with time; the store sets it."""

    user: str
    document: str
    guideline: str
    decision: Decision
    job_id: str  # whose report the editor had before them
    version: str  # of that report
    at: datetime
    approval: Approval | None = None  # None: none is needed
    id: int = 0

    @property
    def state(self) -> State:
        return state_of(self.decision.action, self.approval.status if self.approval else None)

    @property
    def counts(self) -> bool:
        """Whether the finding counts in the score."""
        return self.state is not State.DISMISSED


@dataclass(frozen=True, slots=True)
class Saying:
    """Decisions of an editor with a report before them. `guidelines`: of each finding of that report."""

    job: Job
    guidelines: Mapping[str, str]
    decisions: Sequence[Decision]
    at: datetime
    dismissals: Dismissals


def state_of(action: Action | None, approval: ApprovalStatus | None) -> State:
    """Of the action that stands, None where nothing was said."""
    if action is Action.ACCEPT:
        return State.ACCEPTED
    if action is not Action.DISMISS:
        return State.NONE
    return State.DISMISSED if approval is None else OF_APPROVAL[approval]


def document_of(job: Job) -> str:
    """What decisions belong to: the document by its id, or, without one, the very text that was checked."""
    return f"id:{job.request.document_id}" if job.request.document_id else f"article:{job.blob}"


def new_entries(saying: Saying, standing: Mapping[str, Entry]) -> list[Entry]:
    """The entries that change how things stand, by fingerprint, in their order; the rest says nothing new."""
    now, new = dict(standing), list[Entry]()
    for decision in saying.decisions:
        if not _says_more(decision, now.get(decision.finding)):
            continue
        needs_approval = decision.action is Action.DISMISS and saying.dismissals is Dismissals.APPROVAL
        entry = Entry(
            user=saying.job.request.user,
            document=document_of(saying.job),
            guideline=saying.guidelines[decision.finding],
            decision=decision,
            job_id=saying.job.id,
            version=saying.job.version,
            at=saying.at,
            approval=Approval(ApprovalStatus.PENDING) if needs_approval else None,
        )
        now[decision.finding] = entry
        new.append(entry)
    return new


def dismissed(standing: Iterable[Entry]) -> set[str]:
    """Fingerprints of what doesn't count."""
    return {entry.decision.finding for entry in standing if not entry.counts}


def _says_more(decision: Decision, last: Entry | None) -> bool:
    if last is None:
        return decision.action is not Action.UNDO
    return decision != last.decision
