import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.report import ComplianceReport
from serving.adapters.database import Database
from serving.adapters.sql_jobs import SqlJobQueue, SqlJobStore
from serving.adapters.sql_outbox import SqlOutbox
from serving.job import Job, JobStatus
from tests.serving.build import LEASE, NOW, SPEC, job, report, request, submission

LATER = NOW + LEASE + timedelta(seconds=1)


@pytest.fixture
def store(database: Database) -> SqlJobStore:
    return SqlJobStore(database)


@pytest.fixture
def queue(database: Database) -> SqlJobQueue:
    return SqlJobQueue(database)


async def claimed(store: SqlJobStore, queue: SqlJobQueue, id: str = "a") -> Job:
    await store.add(submission(id))
    found = await queue.claim(SPEC.code, NOW, LEASE)
    assert found
    return found


def completed(running: Job) -> Job:
    return running.ended_as(JobStatus.COMPLETED, NOW)


async def test_a_job_comes_back_whole(store: SqlJobStore) -> None:
    asked = request(title="Heat 🌡", guidelines=("plain-words",), document_id="d", language="de-AT")
    await store.add(submission("a", request=asked))
    assert (await store.get("a"), await store.get("b")) == (job("a", request=asked), None)


async def test_a_key_names_its_users_first_request(store: SqlJobStore) -> None:
    await store.add(submission("a", key="k", request_hash="1"))
    await store.add(submission("b", key="k", request_hash="2"))
    await store.add(submission("c", key="k", request_hash="3", request=request(user="bob")))
    assert await store.by_idempotency_key("ada", "k") == (job("a"), "1")
    assert await store.by_idempotency_key("ada", "other") is None
    assert await store.get("b") is None


async def test_jobs_wait_in_the_order_they_came(store: SqlJobStore, queue: SqlJobQueue) -> None:
    for number, id in enumerate(["c", "a", "b"]):
        await store.add(submission(id, seconds=number))
    assert [await store.position(job(id, seconds=number)) for number, id in enumerate(["c", "a", "b"])] == [1, 2, 3]
    taken = [await queue.claim(SPEC.code, NOW, LEASE) for _ in range(4)]
    assert [found.id if found else None for found in taken] == ["c", "a", "b", None]
    assert await store.waiting() == 0


async def test_a_worker_takes_only_jobs_of_its_code(store: SqlJobStore, queue: SqlJobQueue) -> None:
    await store.add(submission("a", code_digest="other"))
    assert await queue.claim(SPEC.code, NOW, LEASE) is None
    assert await queue.claim("other", NOW, LEASE) is not None


async def test_no_job_goes_to_two_workers(store: SqlJobStore, queue: SqlJobQueue) -> None:
    for number in range(5):
        await store.add(submission(f"job{number}"))
    taken = await asyncio.gather(*(queue.claim(SPEC.code, NOW, LEASE) for _ in range(12)))
    assert sorted(found.id for found in taken if found) == [f"job{number}" for number in range(5)]


async def test_the_end_of_a_job_its_report_and_its_log_entry_come_together(
    database: Database, store: SqlJobStore, queue: SqlJobQueue
) -> None:
    running, made = await claimed(store, queue), await report()
    assert await queue.finish(completed(running), made)
    assert await store.get("a") == completed(running)
    assert ComplianceReport.model_validate_json(await store.result("a") or "") == made
    entry = await SqlOutbox(database).claim(NOW, LEASE)
    assert entry
    assert (entry.job, entry.report) == (completed(running), made)


async def test_a_job_that_failed_has_no_report_and_no_log_entry(
    database: Database, store: SqlJobStore, queue: SqlJobQueue
) -> None:
    running = await claimed(store, queue)
    failed = running.ended_as(JobStatus.FAILED, NOW, reason="no such version")
    assert await queue.finish(failed, None)
    assert (await store.get("a"), await store.result("a")) == (failed, None)
    assert await SqlOutbox(database).waiting() == 0


async def test_a_lease_that_is_renewed_keeps_the_job(store: SqlJobStore, queue: SqlJobQueue) -> None:
    running = await claimed(store, queue)
    assert await queue.renew(running, LATER + LEASE)
    assert await queue.give_back(LATER, max_attempts=3) == 0


async def test_a_job_whose_lease_ran_out_goes_to_another_worker(store: SqlJobStore, queue: SqlJobQueue) -> None:
    await claimed(store, queue)
    assert await queue.give_back(LATER, max_attempts=3) == 1
    assert await store.get("a") == job("a", attempt=1)
    again = await queue.claim(SPEC.code, LATER, LEASE)
    assert again
    assert again.attempt == 2


async def test_only_the_current_attempt_may_write(database: Database, store: SqlJobStore, queue: SqlJobQueue) -> None:
    old, made = await claimed(store, queue), await report()
    await queue.give_back(LATER, max_attempts=3)
    new = await queue.claim(SPEC.code, LATER, LEASE)
    assert new
    assert not await queue.renew(old, LATER)
    assert not await queue.progress(old, 9, 9, "plain-words")
    assert not await queue.stumbled(old, "late")
    assert not await queue.finish(completed(old), made)
    assert (await store.get("a"), await store.result("a")) == (new, None)
    assert await SqlOutbox(database).waiting() == 0


async def test_progress_is_seen(store: SqlJobStore, queue: SqlJobQueue) -> None:
    running = await claimed(store, queue)
    assert await queue.progress(running, 1, 2, "plain-words")
    assert await store.get("a") == replace(running, done=1, total=2, guideline="plain-words")


async def test_a_job_lost_too_often_fails_with_what_stopped_it_last(store: SqlJobStore, queue: SqlJobQueue) -> None:
    running = await claimed(store, queue)
    await queue.stumbled(running, "MLflow is down")
    await queue.give_back(LATER, max_attempts=1)
    found = await store.get("a")
    assert found
    assert (found.status, found.reason) == (JobStatus.FAILED, "given up after 1 attempts: MLflow is down")


async def test_a_waiting_or_running_job_can_be_cancelled_once(store: SqlJobStore, queue: SqlJobQueue) -> None:
    running = await claimed(store, queue, "a")
    await store.add(submission("b"))
    for id in ("a", "b"):
        cancelled = await store.cancel(id, NOW)
        assert cancelled
        assert cancelled.status is JobStatus.CANCELLED
        assert await store.cancel(id, NOW) is None
    assert await queue.claim(SPEC.code, NOW, LEASE) is None
    assert not await queue.finish(completed(running), await report())
