import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pytest

from serving.adapters.database import Database
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.stores import Stores
from serving.job import JobStatus
from serving.ports.log import LogEntry
from tests.serving.build import NOW, ROOT, report, submission, unlogged
from tests.serving.build import claim as claim_job

HOLD = timedelta(seconds=60)
AFTER = NOW + HOLD + timedelta(seconds=1)


@pytest.fixture
def outbox(database: Database) -> SqlOutbox:
    return SqlOutbox(database)


async def finish(stores: Stores, ids: Iterable[str]) -> None:
    """Jobs that ended a second after each other."""
    made = await report()
    for seconds, id in enumerate(ids):
        await stores.jobs.add(submission(id))
        running = await claim_job(stores)
        await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, NOW - timedelta(seconds=9 - seconds)), made)


async def claim(outbox: SqlOutbox) -> LogEntry:
    entry = await outbox.claim(NOW, HOLD)
    assert entry
    return entry


async def test_what_is_logged_leaves_the_outbox(stores: Stores, outbox: SqlOutbox) -> None:
    await finish(stores, "ab")
    first, second = await claim(outbox), await claim(outbox)
    assert (first.job.id, second.job.id, first.attempt) == ("a", "b", 1)
    assert await outbox.logged(first, "run1")
    assert await unlogged(stores.database) == 1
    assert not await outbox.logged(first, "run2")


async def test_an_entry_goes_to_one_worker_at_a_time(stores: Stores, outbox: SqlOutbox) -> None:
    await finish(stores, "abc")
    claims = await asyncio.gather(*(outbox.claim(NOW, HOLD) for _ in range(8)))
    assert sorted(entry.job.id for entry in claims if entry) == ["a", "b", "c"]


async def test_an_entry_whose_worker_died_is_tried_again_and_fences_the_dead(stores: Stores, outbox: SqlOutbox) -> None:
    await finish(stores, "a")
    dead = await claim(outbox)
    assert await outbox.claim(NOW, HOLD) is None
    again = await outbox.claim(AFTER, HOLD)
    assert again
    assert again.attempt == 2
    assert not await outbox.logged(dead, "run1")
    assert not await outbox.postponed(dead, NOW, "late")
    assert await outbox.logged(again, "run1")


async def test_a_postponed_entry_waits_and_lets_others_pass(stores: Stores, outbox: SqlOutbox) -> None:
    await finish(stores, "ab")
    assert await outbox.postponed(await claim(outbox), AFTER, "MLflow is down")
    assert await outbox.logged(await claim(outbox), "run of b")
    assert await outbox.claim(NOW, HOLD) is None
    late = await outbox.claim(AFTER, HOLD)
    assert late
    assert (late.job.id, late.attempt) == ("a", 2)


async def test_a_run_is_noted_before_anything_is_written_to_it(stores: Stores, outbox: SqlOutbox) -> None:
    await finish(stores, "a")
    dead = await claim(outbox)
    assert await outbox.began(dead, "run")
    again = await outbox.claim(AFTER, HOLD)
    assert again
    assert again.run_id == "run"
    assert not await outbox.began(dead, "another")


async def test_it_is_known_whether_something_is_due(stores: Stores, outbox: SqlOutbox) -> None:
    assert not await outbox.is_due(NOW)
    await finish(stores, "a")
    assert await outbox.is_due(NOW)
    await claim(outbox)
    assert not await outbox.is_due(NOW)


async def test_a_dead_job_that_is_queued_again_is_not_logged_before_its_end(stores: Stores, outbox: SqlOutbox) -> None:
    await stores.jobs.add(submission("a"))
    await claim_job(stores, NOW - timedelta(hours=1))
    await stores.leases.give_back(NOW, max_attempts=1)
    assert await outbox.is_due(NOW)
    await stores.jobs.requeue("a", ROOT, NOW)
    assert (await outbox.is_due(NOW), await outbox.claim(NOW, HOLD)) == (False, None)
    await stores.leases.finish((await claim_job(stores)).ended_as(JobStatus.COMPLETED, NOW), await report())
    assert (await claim(outbox)).job.status is JobStatus.COMPLETED
