"""What editors say of findings, and what guideline owners and figures make of it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query

from serving.access.caller import Caller
from serving.answers import Reported
from serving.api.access import Who
from serving.api.cursors import dump_number, load_number
from serving.api.feedback_schemas import (
    DecidedOut,
    DecisionsIn,
    DismissalOut,
    DismissalsOut,
    FeedbackOut,
    FigureOut,
    FiguresOut,
    JudgementIn,
)
from serving.api.json_bodies import JsonRoute
from serving.api.services import Services, services
from serving.errors import JobWithoutResult
from serving.feedback import Action, ApprovalStatus, Decision
from serving.figures import figures
from serving.usecases.approve import judge, pending
from serving.usecases.decide import decide

router = APIRouter(prefix="/api/v1", tags=["feedback"], route_class=JsonRoute)

Use = Annotated[Services, Depends(services)]
MOST_ID = 2**31 - 1


@router.post("/jobs/{job_id}/feedback")
async def say(job_id: str, asked: Annotated[DecisionsIn, Body()], use: Use, caller: Who) -> FeedbackOut:
    """Accepts or dismisses a finding, or takes that back; a list of up to 500 is taken whole or not at all.

    The same again changes nothing. The answer has the score and the ETag of the result from now on.
    """
    decisions = [each.decision for each in (asked if isinstance(asked, list) else [asked])]
    return await _decide(use, caller, job_id, decisions)


@router.delete("/jobs/{job_id}/feedback/{finding}")
async def undo(job_id: str, finding: str, use: Use, caller: Who) -> FeedbackOut:
    """Takes back what was said of a finding, on this or an earlier check of the document."""
    return await _decide(use, caller, job_id, [Decision(finding, Action.UNDO)])


@router.get("/jobs/{job_id}/feedback")
async def show_feedback(job_id: str, use: Use, caller: Who) -> FeedbackOut:
    """What stands on the report's findings, also from earlier checks of the document."""
    return await _feedback(use, caller, job_id)


@router.get("/dismissals")
async def list_dismissals(use: Use, cursor: str = "", limit: Annotated[int, Query(ge=1, le=100)] = 20) -> DismissalsOut:
    """Dismissals that count only when a guideline owner has approved them, the oldest first."""
    found = await pending(use.approvals, use.jobs, use.blobs, after=load_number(cursor), limit=limit)
    following = dump_number(found.dismissals[-1].entry.id) if found.more else None
    return DismissalsOut(dismissals=[DismissalOut.of(each) for each in found.dismissals], next=following)


@router.post("/dismissals/{id}/approve")
async def approve(
    id: Annotated[int, Path(ge=1, le=MOST_ID)], use: Use, caller: Who, said: JudgementIn | None = None
) -> DecidedOut:
    """The finding no longer counts in the score of its document."""
    return await _judge(use, caller, id, ApprovalStatus.APPROVED, said)


@router.post("/dismissals/{id}/decline")
async def decline(
    id: Annotated[int, Path(ge=1, le=MOST_ID)], use: Use, caller: Who, said: JudgementIn | None = None
) -> DecidedOut:
    """The finding goes on counting, and its editor sees that it was declined."""
    return await _judge(use, caller, id, ApprovalStatus.DECLINED, said)


@router.get("/guidelines/figures")
async def show_figures(
    use: Use, version: Annotated[str, Query(max_length=20)] = "", days: Annotated[int, Query(ge=1, le=3650)] = 30
) -> FiguresOut:
    """What became of findings by guideline and version: raised, accepted, dismissed by reason, and precision.

    A finding counts once in a document of a user, however often it is checked. It is right where its editor accepted
    it, wrong where they dismissed it as `false-alarm`, `not-in-this-context` or `quotation` and no guideline owner
    declined that; `precision = right / (right + wrong)`. Other dismissals say nothing of it.
    """
    since = use.clock() - timedelta(days=days)
    found = figures(await use.figures.counts(since, version))
    return FiguresOut(since=since, figures=[FigureOut.of(each) for each in found])


async def _decide(use: Services, caller: Caller, job_id: str, decisions: list[Decision]) -> FeedbackOut:
    await decide(
        use.jobs,
        use.feedback,
        job_id=job_id,
        user=caller.user,
        decisions=decisions,
        dismissals=use.settings.dismissals,
        now=use.clock(),
    )
    return await _feedback(use, caller, job_id)


async def _feedback(use: Services, caller: Caller, job_id: str) -> FeedbackOut:
    found = await use.answers.result_now(job_id, caller.user)
    if not isinstance(found, Reported):
        raise JobWithoutResult(f"job {job_id} is {found.job.status}, so it has no findings to decide about")
    report = found.result.report
    return FeedbackOut(
        job_id=job_id,
        score=report.score,
        band=report.band,
        findings=sum(part.findings for part in report.score.contributions) if report.score else 0,
        etag=found.answer.etag,
        feedback=[DecidedOut.of(entry) for entry in found.result.decided],
    )


async def _judge(
    use: Services, caller: Caller, id: int, status: ApprovalStatus, said: JudgementIn | None
) -> DecidedOut:
    comment = said.comment if said else ""
    entry = await judge(use.approvals, id=id, status=status, by=caller.actor, comment=comment, now=use.clock())
    return DecidedOut.of(entry)
