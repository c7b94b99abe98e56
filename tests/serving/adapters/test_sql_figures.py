"""What became of findings, counted over reports and decisions."""

from datetime import timedelta

from sqlalchemy import delete

from serving.adapters.sql_figures import SqlFigures
from serving.adapters.stores import Stores
from serving.adapters.tables import jobs
from serving.feedback import Action, ApprovalStatus, Decision, Dismissals, Reason, State
from serving.figures import Count
from serving.job import Job
from tests.serving.adapters.test_sql_feedback import OWNER, checked, dismiss, finding_of, say
from tests.serving.build import NOW, request

LONG_AGO = NOW - timedelta(days=30)


async def counts(stores: Stores, version: str = "", since: object = LONG_AGO) -> set[Count]:
    return set(await SqlFigures(stores.database).counts(since, version))  # type: ignore[arg-type]


async def test_a_finding_counts_once_in_a_document_however_often_it_is_checked(stores: Stores) -> None:
    of_d = request(document_id="d")
    job = await checked(stores, "a", request=of_d)
    await checked(stores, "again", request=of_d)
    await checked(stores, "next-version", request=of_d, version="2")
    await checked(stores, "colleague", request=request(document_id="d", user="eve"))
    await say(stores, job, dismiss(await finding_of(stores), Reason.FALSE_ALARM))
    assert await counts(stores) == {
        Count("plain-words", "1", State.DISMISSED, Reason.FALSE_ALARM, 1),
        Count("plain-words", "1", State.NONE, None, 1),  # the colleague's
        Count("attribution", "1", State.NONE, None, 2),
        Count("plain-words", "2", State.DISMISSED, Reason.FALSE_ALARM, 1),
        Count("attribution", "2", State.NONE, None, 1),
    }


async def test_figures_are_of_a_version_and_a_period(stores: Stores) -> None:
    await checked(stores, "a")
    await checked(stores, "b", version="2", blob="other")
    assert {count.version for count in await counts(stores, "2")} == {"2"}
    assert await counts(stores, "3") == await counts(stores, since=NOW + timedelta(seconds=1)) == set()


async def test_what_was_taken_back_is_undecided(stores: Stores) -> None:
    job = await checked(stores)
    words = await finding_of(stores)
    for action in (Action.ACCEPT, Action.UNDO):
        await say(stores, job, Decision(words, action))
    assert {count.state for count in await counts(stores)} == {State.NONE}


async def test_what_owners_say_of_dismissals_counts_where_it_stands(stores: Stores) -> None:
    """Of each user's each document on its own, and of what was said last."""

    async def dismissed(user: str, document: str, status: ApprovalStatus | None) -> Job:
        job = await checked(stores, f"{user}-{document}", request=request(user=user, document_id=document))
        await say(stores, job, dismiss(await finding_of(stores, job_id=job.id)), policy=Dismissals.APPROVAL)
        (entry,) = (await stores.feedback.standing(user, f"id:{document}")).values()
        if status:
            assert await stores.feedback.judge(entry.id, status, by=OWNER, comment="", now=NOW)
        return job

    await dismissed("ada", "d", ApprovalStatus.APPROVED)
    await dismissed("ada", "other", ApprovalStatus.DECLINED)
    await dismissed("eve", "d", None)
    undone = await dismissed("eve", "other", ApprovalStatus.APPROVED)
    accepted = await dismissed("ben", "d", ApprovalStatus.DECLINED)
    await say(stores, undone, Decision(await finding_of(stores, job_id=undone.id), Action.UNDO))
    await say(stores, accepted, Decision(await finding_of(stores, job_id=accepted.id), Action.ACCEPT))
    assert await counts(stores) == {
        Count("plain-words", "1", State.DISMISSED, Reason.QUOTATION, 1),
        Count("plain-words", "1", State.DECLINED, Reason.QUOTATION, 1),
        Count("plain-words", "1", State.PENDING, Reason.QUOTATION, 1),
        Count("plain-words", "1", State.NONE, None, 1),
        Count("plain-words", "1", State.ACCEPTED, None, 1),
        Count("attribution", "1", State.NONE, None, 5),
    }


async def test_decisions_outlive_their_articles(stores: Stores) -> None:
    job = await checked(stores)
    await say(stores, job, Decision(await finding_of(stores), Action.ACCEPT))
    async with stores.database.write() as connection:
        await connection.execute(delete(jobs))
    assert await counts(stores) == {Count("plain-words", "1", State.ACCEPTED, None, 1)}
