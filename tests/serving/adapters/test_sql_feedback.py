"""Decisions in the database: what stands, whose results change, and what is judged."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from serving.access.audit import Actor
from serving.adapters.feedback_tables import feedback, feedback_approvals
from serving.adapters.stores import Stores
from serving.feedback import Action, Approval, ApprovalStatus, Decision, Dismissals, Entry, Reason, Saying, State
from serving.job import Job, JobStatus
from tests.serving.build import NOW, claim, report, request, submission

OWNER = Actor("owner", "entra")
OTHER = Actor("other", "entra")

LATER = NOW + timedelta(hours=1)


async def checked(stores: Stores, id: str = "a", **fields: Any) -> Job:
    """A job whose report has a finding of each of two guidelines."""
    await stores.jobs.add(submission(id, **fields))
    running = await claim(stores)
    done = await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, NOW), await report())
    assert done
    return done


async def finding_of(stores: Stores, guideline: str = "plain-words", job_id: str = "a") -> str:
    found = await stores.feedback.findings(job_id)
    return next(fingerprint for fingerprint, of in found.items() if of == guideline)


async def say(stores: Stores, job: Job, *said: Decision, at: Any = NOW, policy: Dismissals = Dismissals.AT_ONCE) -> Any:
    return await stores.feedback.decide(Saying(job, await stores.feedback.findings(job.id), said, at, policy))


async def standing(stores: Stores, job: Job, document: str = "article:blob") -> list[Entry]:
    return list((await stores.feedback.standing(job.request.user, document)).values())


async def revision(stores: Stores, id: str) -> int:
    return (await stores.jobs.revisions([id]))[id]


def dismiss(finding: str, reason: Reason = Reason.QUOTATION, comment: str = "") -> Decision:
    return Decision(finding, Action.DISMISS, reason, comment)


async def test_what_is_said_is_kept_as_it_was_said(stores: Stores) -> None:
    job = await checked(stores, request=request(document_id="d'1"))
    said = dismiss(await finding_of(stores), Reason.OTHER, "“hm”")
    assert len(await say(stores, job, said)) == 1
    (entry,) = await standing(stores, job, "id:d'1")
    assert replace(entry, id=0) == Entry("ada", "id:d'1", "plain-words", said, "a", "1", NOW)


async def test_the_same_twenty_times_at_once_is_one_entry(stores: Stores) -> None:
    job = await checked(stores)
    said = dismiss(await finding_of(stores))
    new = await asyncio.gather(*(say(stores, job, said) for _ in range(20)))
    assert sorted(map(len, new)) == [0] * 19 + [1]
    async with stores.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(feedback)) == 1


async def test_to_undo_is_an_entry_and_the_rest_stays(stores: Stores) -> None:
    job = await checked(stores)
    words, claims = [await finding_of(stores, id) for id in ("plain-words", "attribution")]
    await say(stores, job, dismiss(words), Decision(claims, Action.ACCEPT))
    await say(stores, job, Decision(words, Action.UNDO), at=LATER)
    found = {entry.decision.finding: (entry.state, entry.at) for entry in await standing(stores, job)}
    assert found == {words: (State.NONE, LATER), claims: (State.ACCEPTED, NOW)}
    async with stores.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(feedback)) == 3


async def test_every_check_of_the_document_is_changed_and_nobody_else_s(stores: Stores) -> None:
    of_ada, of_eve = request(document_id="d"), request(document_id="d", user="eve")
    first, second = await checked(stores, "a", request=of_ada), await checked(stores, "b", request=of_ada)
    await checked(stores, "other-document", request=request(document_id="e"))
    await checked(stores, "other-user", request=of_eve)
    ids = ("a", "b", "other-document", "other-user")
    before = [await revision(stores, id) for id in ids]
    await say(stores, first, dismiss(await finding_of(stores)))
    await say(stores, second, dismiss(await finding_of(stores)))  # stands already
    after = [await revision(stores, id) for id in ids]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1, 0, 0]
    assert await stores.feedback.standing("eve", "id:d") == {}


async def test_without_an_id_the_same_text_is_the_same_document(stores: Stores) -> None:
    first = await checked(stores, "a")
    await checked(stores, "same-text")
    await checked(stores, "other-text", blob="other")
    before = [await revision(stores, id) for id in ("same-text", "other-text")]
    await say(stores, first, dismiss(await finding_of(stores)))
    after = [await revision(stores, id) for id in ("same-text", "other-text")]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 0]


async def test_a_dismissal_waits_for_its_approval_and_is_judged(stores: Stores) -> None:
    job = await checked(stores)
    words, claims = [await finding_of(stores, id) for id in ("plain-words", "attribution")]
    await say(stores, job, dismiss(words), dismiss(claims), policy=Dismissals.APPROVAL)
    first, second = await stores.feedback.pending(0, 10)
    assert [entry.state for entry in (first, second)] == [State.PENDING] * 2
    assert [entry.id for entry in await stores.feedback.pending(first.id, 10)] == [second.id]
    before = await revision(stores, "a")
    approved = await stores.feedback.judge(first.id, ApprovalStatus.APPROVED, by=OWNER, comment="fine", now=LATER)
    assert approved
    assert approved.approval == Approval(ApprovalStatus.APPROVED, "owner", LATER, "fine")
    again = await stores.feedback.judge(first.id, ApprovalStatus.APPROVED, by=OTHER, comment="fine", now=LATER)
    assert (again, await revision(stores, "a")) == (approved, before + 1)
    declined = await stores.feedback.judge(second.id, ApprovalStatus.DECLINED, by=OWNER, comment="", now=LATER)
    assert declined
    assert (declined.state, await stores.feedback.pending(0, 10)) == (State.DECLINED, [])


async def test_what_its_editor_took_back_is_not_judged_any_more(stores: Stores) -> None:
    job = await checked(stores)
    words = await finding_of(stores)
    await say(stores, job, dismiss(words), policy=Dismissals.APPROVAL)
    (entry,) = await stores.feedback.pending(0, 10)
    await say(stores, job, Decision(words, Action.UNDO), at=LATER)
    assert await stores.feedback.pending(0, 10) == []
    for id in (entry.id, 999):
        assert await stores.feedback.judge(id, ApprovalStatus.APPROVED, by=OWNER, comment="", now=LATER) is None


async def test_a_changed_dismissal_needs_its_approval_anew(stores: Stores) -> None:
    job = await checked(stores)
    words = await finding_of(stores)
    await say(stores, job, dismiss(words), policy=Dismissals.APPROVAL)
    (first,) = await stores.feedback.pending(0, 10)
    await stores.feedback.judge(first.id, ApprovalStatus.APPROVED, by=OWNER, comment="", now=NOW)
    await say(stores, job, dismiss(words, Reason.OTHER), policy=Dismissals.APPROVAL)
    (second,) = await stores.feedback.pending(0, 10)
    assert (second.decision.reason, second.state) == (Reason.OTHER, State.PENDING)
    assert await stores.feedback.judge(first.id, ApprovalStatus.DECLINED, by=OWNER, comment="", now=NOW) is None
    async with stores.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(feedback_approvals)) == 2
