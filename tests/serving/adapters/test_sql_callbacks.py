"""When clients are to be called, whoever ends their jobs and however they end."""

import asyncio
from datetime import timedelta

import pytest

from agent.finding import Severity
from serving.adapters.database import Database
from serving.adapters.sql_callbacks import SqlCallbacks
from serving.adapters.stores import Stores
from serving.callback import Callback, EndedBatch, EndedJob
from serving.job import JobStatus
from tests.serving.adapters.test_sql_batches import batch_submission
from tests.serving.build import LEASE, NOW, ROOT, claim, report, submission

URL = "https://hooks.example.com/"
HOLD = timedelta(seconds=60)
AFTER = NOW + HOLD + timedelta(seconds=1)


@pytest.fixture
def callbacks(database: Database) -> SqlCallbacks:
    return SqlCallbacks(database)


async def due(callbacks: SqlCallbacks, now=AFTER) -> Callback:
    found = await callbacks.claim(now, HOLD)
    assert found
    return found


async def test_a_job_s_client_is_called_when_it_has_ended(stores: Stores, callbacks: SqlCallbacks) -> None:
    await stores.jobs.add(submission("a", callback_url=URL))
    running = await claim(stores)
    assert not await callbacks.is_due(AFTER)
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, NOW), made := await report())
    assert await callbacks.is_due(AFTER)
    found = await due(callbacks)
    assert (found.url, found.attempt) == (URL, 1)
    assert isinstance(found.ended, EndedJob)
    assert made.score
    assert (found.ended.job.id, found.ended.score) == ("a", made.score.value)
    assert sum(found.ended.findings.values()) == len(made.findings) > 0
    assert set(found.ended.findings) == set(Severity)


async def test_who_left_no_address_is_not_called(stores: Stores, callbacks: SqlCallbacks) -> None:
    await stores.jobs.add(submission("a"))
    await stores.jobs.cancel("a", NOW)
    assert not await callbacks.is_due(AFTER)


async def test_a_job_that_is_cancelled_or_given_up_has_ended_too(stores: Stores, callbacks: SqlCallbacks) -> None:
    for id in ("cancelled", "lost"):
        await stores.jobs.add(submission(id, callback_url=URL))
    await stores.jobs.cancel("cancelled", NOW)
    await claim(stores)
    await stores.leases.give_back(NOW + 2 * LEASE, max_attempts=1)
    ended = [(await due(callbacks)).ended for _ in range(2)]
    assert {(each.job.id, each.job.status) for each in ended if isinstance(each, EndedJob)} == {
        ("cancelled", JobStatus.CANCELLED),
        ("lost", JobStatus.FAILED),
    }


async def test_a_job_that_ends_again_is_another_message(stores: Stores, callbacks: SqlCallbacks) -> None:
    await stores.jobs.add(submission("a", callback_url=URL))
    await claim(stores)
    await stores.leases.give_back(NOW + 2 * LEASE, max_attempts=1)
    first = await due(callbacks)
    await stores.jobs.requeue("a", ROOT, NOW)
    await stores.jobs.cancel("a", NOW)
    second = await due(callbacks)
    assert (second.message != first.message, second.attempt) == (True, 1)
    assert not await callbacks.answered(first)
    assert await callbacks.answered(second)


async def test_a_batch_s_client_is_called_once_when_all_have_ended(stores: Stores, callbacks: SqlCallbacks) -> None:
    await stores.batches.add(batch_submission("b", count=2, callback_url=URL))
    for _ in range(2):
        assert not await callbacks.is_due(AFTER)
        running = await claim(stores)
        await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, NOW), await report())
    found = await due(callbacks)
    assert isinstance(found.ended, EndedBatch)
    assert (found.ended.batch.id, found.ended.progress.done, await callbacks.claim(AFTER, HOLD)) == ("b", 2, None)


async def test_of_jobs_that_end_at_once_one_is_the_last(stores: Stores, callbacks: SqlCallbacks) -> None:
    await stores.batches.add(batch_submission("b", count=6, callback_url=URL))
    ids = await stores.batches.unfinished("b")
    await asyncio.gather(*(stores.jobs.cancel(id, NOW) for id in ids))
    assert isinstance((await due(callbacks)).ended, EndedBatch)
    assert await callbacks.claim(AFTER, HOLD) is None


async def test_a_call_goes_to_one_worker_and_fences_who_took_too_long(stores: Stores, callbacks: SqlCallbacks) -> None:
    await stores.jobs.add(submission("a", callback_url=URL))
    await stores.jobs.cancel("a", NOW)
    claims = await asyncio.gather(*(callbacks.claim(NOW, HOLD) for _ in range(4)))
    [dead] = [each for each in claims if each]
    again = await due(callbacks)
    assert (again.message, again.attempt) == (dead.message, 2)
    assert not await callbacks.answered(dead)
    assert not await callbacks.postponed(dead, None, "late")
    assert await callbacks.answered(again)
    assert await callbacks.unanswered(10) == []


async def test_what_is_not_answered_is_shown_with_its_reason(stores: Stores, callbacks: SqlCallbacks) -> None:
    for id in "ab":
        await stores.jobs.add(submission(id, callback_url=URL))
        await stores.jobs.cancel(id, NOW)
    await callbacks.postponed(await due(callbacks), AFTER + HOLD, "the receiver answered 500")
    await callbacks.postponed(await due(callbacks), None, "given up: the receiver answered 410 (gone)")
    shown = [(call.attempts, call.due, call.reason) for call in await callbacks.unanswered(10)]
    assert shown == [
        (1, AFTER + HOLD, "the receiver answered 500"),
        (1, None, "given up: the receiver answered 410 (gone)"),
    ]
    assert await callbacks.claim(AFTER, HOLD) is None
