from dataclasses import replace
from datetime import timedelta

from agent.report import ComplianceReport
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.stores import Stores
from serving.job import Job, JobStatus
from tests.serving.build import LEASE, NOW, ROOT, claim, job, report, submission, unlogged

LATER = NOW + LEASE + timedelta(seconds=1)
NO_PAUSE = timedelta(0)


async def claimed(stores: Stores, id: str = "a") -> Job:
    await stores.jobs.add(submission(id))
    return await claim(stores)


def completed(running: Job) -> Job:
    return running.ended_as(JobStatus.COMPLETED, NOW)


def newer(job: Job) -> Job:
    """As it is stored after one more change."""
    return replace(job, revision=job.revision + 1)


async def test_a_claim_begins_an_attempt_that_nobody_else_gets(stores: Stores) -> None:
    await stores.jobs.add(submission("a"))
    first = await stores.leases.claim("a", 1, NOW, LEASE)
    assert first == replace(
        job("a"), status=JobStatus.RUNNING, attempt=1, started=NOW, lease_until=NOW + LEASE, revision=1
    )
    assert await stores.leases.claim("a", 1, NOW, LEASE) is None
    assert await stores.leases.claim("a", 2, NOW, LEASE) is None


async def test_the_end_of_a_job_its_report_and_its_log_entry_come_together(stores: Stores) -> None:
    running, made = await claimed(stores), await report()
    ended = newer(completed(running))
    assert await stores.leases.finish(completed(running), made) == ended
    assert await stores.jobs.get("a") == ended
    assert ComplianceReport.model_validate_json(await stores.jobs.result("a") or "") == made
    entry = await SqlOutbox(stores.database).claim(NOW, LEASE)
    assert entry
    assert (entry.job, entry.report) == (ended, made)


async def test_a_job_that_failed_has_no_report_and_is_logged_as_well(stores: Stores) -> None:
    failed = (await claimed(stores)).ended_as(JobStatus.FAILED, NOW, reason="no such version")
    await stores.leases.finish(failed, None)
    assert (await stores.jobs.get("a"), await stores.jobs.result("a")) == (newer(failed), None)
    entry = await SqlOutbox(stores.database).claim(NOW, LEASE)
    assert entry
    assert (entry.job.reason, entry.report) == ("no such version", None)


async def test_a_job_that_is_handed_back_waits_at_once_and_has_all_its_attempts(stores: Stores) -> None:
    running = await claimed(stores)
    back = await stores.leases.hand_back(running, "its worker was told to stop")
    assert back == newer(
        replace(job("a"), attempt=1, attempts_from=1, reason="its worker was told to stop", revision=1)
    )
    assert await stores.leases.hand_back(running, "again") is None
    again = await claim(stores)
    assert (again.attempt, again.attempt - again.attempts_from) == (2, 1)


async def test_a_lease_that_is_renewed_keeps_the_job(stores: Stores) -> None:
    running = await claimed(stores)
    assert await stores.leases.renew(running, LATER + LEASE)
    assert await stores.leases.give_back(LATER, max_attempts=3) == []


async def test_a_job_whose_lease_ran_out_goes_to_another_worker(stores: Stores) -> None:
    await claimed(stores)
    (back,) = await stores.leases.give_back(LATER, max_attempts=3)
    assert (back.status, back.attempt, back.reason) == (JobStatus.QUEUED, 1, "its worker went silent")
    assert (await claim(stores, LATER)).attempt == 2


async def test_only_the_current_attempt_may_write(stores: Stores) -> None:
    old, made = await claimed(stores), await report()
    await stores.leases.give_back(LATER, max_attempts=3)
    new = await claim(stores, LATER)
    assert not await stores.leases.renew(old, LATER)
    assert not await stores.leases.progress(old, ["plain-words"], 9)
    assert not await stores.leases.retry(old, NOW, "late", pause=NO_PAUSE, max_attempts=3)
    assert not await stores.leases.finish(completed(old), made)
    assert (await stores.jobs.get("a"), await stores.jobs.result("a")) == (new, None)
    assert await unlogged(stores.database) == 0


async def test_progress_is_seen(stores: Stores) -> None:
    running = await claimed(stores)
    advanced = replace(newer(running), done=1, total=2, guideline="plain-words", checked=("plain-words",))
    assert await stores.leases.progress(running, ["plain-words"], 2) == advanced
    assert await stores.jobs.get("a") == advanced


async def test_an_attempt_that_stumbled_is_repeated_after_a_pause(stores: Stores) -> None:
    running, pause = await claimed(stores), timedelta(seconds=8)
    back = await stores.leases.retry(running, NOW, "MLflow is down", pause=pause, max_attempts=3)
    assert back
    assert (back.status, back.due, back.reason) == (JobStatus.QUEUED, NOW + pause, "MLflow is down")


async def test_a_job_tried_too_often_is_dead_with_what_stopped_it_last_and_logged(stores: Stores) -> None:
    dead = await stores.leases.retry(await claimed(stores), NOW, "MLflow is down", pause=NO_PAUSE, max_attempts=1)
    assert dead
    assert (dead.status, dead.dead) == (JobStatus.FAILED, True)
    assert dead.reason == "given up after 1 attempt: MLflow is down"
    assert await unlogged(stores.database) == 1
    assert await stores.jobs.dead(None, 10) == [dead]


async def test_a_dead_job_that_is_queued_anew_has_all_its_attempts_again(stores: Stores) -> None:
    await stores.leases.retry(await claimed(stores), NOW, "down", pause=NO_PAUSE, max_attempts=1)
    again = await stores.jobs.requeue("a", ROOT, LATER)
    assert again
    assert (again.status, again.attempt, again.reason) == (JobStatus.QUEUED, 1, "")
    assert await stores.jobs.requeue("a", ROOT, LATER) is None
    back = await stores.leases.retry(await claim(stores, LATER), LATER, "down", pause=NO_PAUSE, max_attempts=2)
    assert back
    assert (back.status, back.attempt) == (JobStatus.QUEUED, 2)


async def test_a_job_that_ends_twice_is_to_be_logged_again(stores: Stores) -> None:
    outbox = SqlOutbox(stores.database)
    await stores.leases.retry(await claimed(stores), NOW, "down", pause=NO_PAUSE, max_attempts=1)
    first = await outbox.claim(NOW, LEASE)
    assert first
    assert await outbox.logged(first, "run")
    await stores.jobs.requeue("a", ROOT, NOW)
    await stores.leases.finish(completed(await claim(stores)), await report())
    second = await outbox.claim(NOW, LEASE)
    assert second
    assert (second.job.status, second.run_id, second.report is None) == (JobStatus.COMPLETED, "run", False)
    assert not await outbox.logged(first, "late")


async def test_a_waiting_or_running_job_can_be_cancelled_once(stores: Stores) -> None:
    running = await claimed(stores, "a")
    await stores.jobs.add(submission("b"))
    for id in ("a", "b"):
        cancelled = await stores.jobs.cancel(id, NOW)
        assert cancelled
        assert cancelled.status is JobStatus.CANCELLED
        assert await stores.jobs.cancel(id, NOW) is None
    assert not await stores.leases.finish(completed(running), await report())
    assert await unlogged(stores.database) == 2
