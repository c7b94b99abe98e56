"""What MLflow hasn't been told: listed, given up by whoever says so, and tried again when they take that back."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_backlog import SqlBacklog
from serving.adapters.sql_feedback_outbox import SqlFeedbackOutbox
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.sql_trail import SqlTrail
from serving.adapters.sql_unlogged import SqlUnlogged
from serving.adapters.stores import Stores
from serving.job import Job
from serving.ports.log import FeedbackNews, Lacking, LogEntry, Unlogged, UnloggedCount
from serving.usecases.tell_feedback import tell_next
from tests.serving.adapters.test_sql_feedback import checked, dismiss, finding_of, say
from tests.serving.build import NOW, ROOT, claim, submission

HOLD = timedelta(seconds=60)
LATER = NOW + timedelta(hours=1)
REFUSED = "MLflow refused: it is too long"


@pytest.fixture
def unlogged(stores: Stores) -> SqlUnlogged:
    return SqlUnlogged(stores.database)


@pytest.fixture
def outbox(stores: Stores) -> SqlOutbox:
    return SqlOutbox(stores.database)


async def refused(stores: Stores, outbox: SqlOutbox, ids: Iterable[str] = "a") -> None:
    """Jobs whose first try MLflow refused."""
    for id in ids:
        await checked(stores, id)
        entry = await outbox.claim(NOW, HOLD)
        assert entry
        await outbox.began(entry, f"run of {id}")
        await outbox.postponed(entry, LATER, REFUSED)


async def logged(stores: Stores, outbox: SqlOutbox, id: str = "a") -> Job:
    job = await checked(stores, id)
    entry = await outbox.claim(NOW, HOLD)
    assert entry
    await outbox.began(entry, f"run of {id}")
    assert await outbox.logged(entry, f"run of {id}")
    return job


async def claimed(outbox: SqlOutbox) -> LogEntry:
    entry = await outbox.claim(LATER, HOLD)
    assert entry
    return entry


async def test_what_is_not_logged_is_listed_with_its_reason(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    await logged(stores, outbox, "in-mlflow")
    await refused(stores, outbox, "ab")
    await checked(stores, "new")
    await stores.jobs.add(submission("waits"))
    assert await unlogged.page(10) == [
        Unlogged("a", Lacking.RUN, NOW, 1, LATER, REFUSED),
        Unlogged("b", Lacking.RUN, NOW, 1, LATER, REFUSED),
        Unlogged("new", Lacking.RUN, NOW, 0, NOW, ""),
    ]


async def test_what_was_given_up_is_tried_no_more_and_counted_apart(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    await refused(stores, outbox, "ab")
    assert await unlogged.give_up("a", "never", ROOT, NOW)
    left = await SqlBacklog(stores.database).read(LATER)
    assert (left.unlogged, await unlogged.count()) == (1, UnloggedCount(due=1, given_up=1))
    assert await unlogged.page(10) == [
        Unlogged("b", Lacking.RUN, NOW, 1, LATER, REFUSED),
        Unlogged("a", Lacking.RUN, NOW, 2, None, f"stopped by {ROOT.user}: never (before: {REFUSED})"),
    ]
    assert [each.job for each in await unlogged.page(1)] == ["b"]
    assert (await claimed(outbox)).job.id == "b"
    assert await outbox.claim(LATER, HOLD) is None
    assert await SqlTrail(stores.database).run_of("a") == ""


async def test_the_age_of_the_oldest_leaves_out_what_was_given_up(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    await refused(stores, outbox)
    backlog = SqlBacklog(stores.database)
    assert (await backlog.read(LATER)).oldest_unlogged_seconds == 3600
    await unlogged.give_up("a", "never", ROOT, NOW)
    assert (await backlog.read(LATER)).oldest_unlogged_seconds == 0


async def test_whoever_tries_it_at_that_moment_may_write_no_more(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    await checked(stores)
    trying = await claimed(outbox)
    assert await unlogged.give_up("a", "never", ROOT, NOW)
    assert not await outbox.began(trying, "run")
    assert not await outbox.postponed(trying, LATER, REFUSED)
    assert await unlogged.log_again("a", ROOT, NOW)
    assert not await outbox.logged(trying, "run")
    assert (await claimed(outbox)).attempt == trying.attempt + 2


async def test_what_is_taken_back_is_due_at_once_and_goes_on_with_its_run(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    await refused(stores, outbox)
    assert not await unlogged.log_again("a", ROOT, NOW)
    await unlogged.give_up("a", "never", ROOT, NOW)
    assert (await unlogged.is_given_up("a"), await outbox.is_due(LATER)) == (True, False)
    assert await unlogged.log_again("a", ROOT, NOW)
    assert (await unlogged.is_given_up("a"), await outbox.is_due(NOW)) == (False, True)
    entry = await outbox.claim(NOW, HOLD)
    assert entry
    assert entry.run_id == "run of a"
    assert await outbox.logged(entry, entry.run_id)
    assert await unlogged.page(10) == []


async def test_both_are_noted_with_who_took_them(stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox) -> None:
    await refused(stores, outbox)
    await unlogged.give_up("a", "never", ROOT, NOW)
    assert not await unlogged.give_up("a", "twice", ROOT, NOW)
    await unlogged.log_again("a", ROOT, LATER)
    assert not await unlogged.log_again("a", ROOT, LATER)
    noted = [
        (each.at, each.user, each.action, each.subject, each.detail)
        for each in await SqlAudit(stores.database).page(None, 10)
    ]
    assert noted == [
        (LATER, ROOT.user, "job.log-again", "a", ""),
        (NOW, ROOT.user, "job.stop-logging", "a", "never"),
    ]


async def test_decisions_wait_while_their_run_is_given_up_and_are_told_after_it(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    await refused(stores, outbox)
    job, decided = await stores.jobs.get("a"), SqlFeedbackOutbox(stores.database)
    assert job
    await unlogged.give_up("a", "never", ROOT, NOW)
    await say(stores, job, dismiss(await finding_of(stores)))
    assert (await decided.is_due(LATER), await decided.claim(LATER, HOLD)) == (False, None)
    assert [each.lacking for each in await unlogged.page(10)] == [Lacking.RUN]
    await unlogged.log_again("a", ROOT, NOW)
    entry = await claimed(outbox)
    await outbox.logged(entry, entry.run_id)
    news = await decided.claim(LATER, HOLD)
    assert news
    assert news.run_id == "run of a"


async def test_decisions_about_a_job_whose_run_is_logged_are_given_up_by_themselves(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    job, decided = await logged(stores, outbox), SqlFeedbackOutbox(stores.database)
    assert not await unlogged.give_up("a", "never", ROOT, NOW)
    await say(stores, job, dismiss(await finding_of(stores)))
    news = await decided.claim(NOW, HOLD)
    assert news
    await decided.postponed(news, LATER, REFUSED)
    assert await unlogged.page(10) == [Unlogged("a", Lacking.DECISIONS, NOW, 1, LATER, REFUSED)]
    assert await unlogged.give_up("a", "never", ROOT, NOW)
    assert (await decided.is_due(LATER), await unlogged.is_given_up("a")) == (False, True)
    assert await SqlTrail(stores.database).run_of("a") == "run of a"
    assert await unlogged.log_again("a", ROOT, NOW)
    assert await decided.is_due(NOW)


async def test_decisions_that_are_given_up_while_they_are_told_stay_given_up(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    job, decided = await logged(stores, outbox), SqlFeedbackOutbox(stores.database)
    await say(stores, job, dismiss(await finding_of(stores)))

    class GivenUpMeanwhile:
        async def tell(self, news: FeedbackNews) -> None:
            assert await unlogged.give_up(news.job.id, "never", ROOT, NOW)

    assert await tell_next(decided, GivenUpMeanwhile(), clock=lambda: NOW)
    assert (await unlogged.is_given_up("a"), await decided.is_due(LATER)) == (True, False)


async def test_what_is_decided_later_is_told_with_all_that_was_given_up(
    stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox
) -> None:
    job, decided = await logged(stores, outbox), SqlFeedbackOutbox(stores.database)
    words, claims = [await finding_of(stores, id) for id in ("plain-words", "attribution")]
    await say(stores, job, dismiss(words))
    await unlogged.give_up("a", "never", ROOT, NOW)
    await say(stores, job, dismiss(claims), at=LATER)
    news = await decided.claim(LATER, HOLD)
    assert news
    assert [entry.decision.finding for entry in news.entries] == [words, claims]
    assert await decided.told(news)
    assert await unlogged.page(10) == []


async def test_a_job_that_ends_anew_is_logged_anew(stores: Stores, unlogged: SqlUnlogged, outbox: SqlOutbox) -> None:
    """The giving up was of another end."""
    await stores.jobs.add(submission("a"))
    await claim(stores, NOW - timedelta(hours=1))
    await stores.leases.give_back(NOW, max_attempts=1)
    assert await unlogged.give_up("a", "never", ROOT, NOW)
    await stores.jobs.requeue("a", ROOT, NOW)
    assert (await unlogged.page(10), await outbox.is_due(LATER)) == ([], False)
    await stores.jobs.cancel("a", LATER)
    assert await unlogged.page(10) == [Unlogged("a", Lacking.RUN, LATER, 2, LATER, "")]


async def test_a_job_that_has_not_ended_is_not_given_up(stores: Stores, unlogged: SqlUnlogged) -> None:
    await stores.jobs.add(submission("a"))
    assert not await unlogged.give_up("a", "never", ROOT, NOW)
    await claim(stores, NOW - timedelta(hours=1))
    await stores.leases.give_back(NOW, max_attempts=1)
    await stores.jobs.requeue("a", ROOT, NOW)
    assert not await unlogged.give_up("a", "never", ROOT, NOW)
