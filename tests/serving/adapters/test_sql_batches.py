"""Batches in the database, on both of them."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from serving.adapters.stores import Stores
from serving.batch import Batch
from serving.errors import IdempotencyConflict, QueueFull
from serving.job import JobStatus, Priority
from serving.ports.batches import BatchSubmission
from serving.ports.jobs import Cursor
from tests.serving.build import NOW, claim, job, report, request, story, submission


def batch_submission(
    id: str = "b",
    *,
    count: int = 2,
    user: str = "ada",
    key: str = "",
    hash: str = "h",
    limit: int = 10,
    at: int = 0,
    callback_url: str = "",
) -> BatchSubmission:
    batch = Batch(id, user, "Monday", count, NOW + timedelta(seconds=at), callback_url)
    jobs = tuple(
        job(f"{id[:8]}{number}", priority=Priority.BATCH, batch=id, request=request(user=user))
        for number in range(1, count + 1)
    )
    return BatchSubmission(batch, jobs, key, hash, limit)


async def test_its_jobs_come_in_the_order_of_the_manifest_by_pages(stores: Stores) -> None:
    await stores.batches.add(batch_submission(count=3))
    first = await stores.batches.jobs("b", 0, 2)
    assert [(item.number, item.job.id, item.score) for item in first] == [(1, "b1", None), (2, "b2", None)]
    assert [item.job.id for item in await stores.batches.jobs("b", 2, 2)] == ["b3"]


async def test_a_full_queue_takes_none_of_it_and_no_editor_is_turned_away(stores: Stores) -> None:
    await stores.batches.add(batch_submission(count=2, limit=2))
    with pytest.raises(QueueFull, match="2 jobs are waiting, the limit is 3"):
        await stores.batches.add(batch_submission("c", count=2, limit=3))
    assert (await stores.batches.get("c"), await stores.jobs.waiting()) == (None, 2)
    assert (await stores.jobs.add(submission("interactive"))).id == "interactive"
    assert (await claim(stores)).id == "interactive"


async def test_the_same_key_at_the_same_moment_is_one_batch(stores: Stores) -> None:
    sent = [batch_submission(uuid4().hex[:8], key="k") for _ in range(5)]
    stored = await asyncio.gather(*map(stores.batches.add, sent))
    assert (len({batch.id for batch in stored}), await stores.jobs.waiting()) == (1, 2)
    with pytest.raises(IdempotencyConflict, match="Idempotency-Key 'k' was used for another"):
        await stores.batches.add(batch_submission("d", key="k", hash="other"))
    assert (await stores.batches.add(batch_submission("e", user="eve", key="k"))).id == "e"


async def test_two_batches_take_turns(stores: Stores) -> None:
    await stores.batches.add(batch_submission("a", count=3))
    await stores.batches.add(batch_submission("b", count=3, user="eve"))
    order = [(await claim(stores)).request.user for _ in range(6)]
    assert order == ["ada", "eve"] * 3


async def test_progress_tells_jobs_scores_and_guidelines(stores: Stores) -> None:
    await stores.batches.add(batch_submission(count=3))
    before = await stores.batches.progress("b")
    assert (before.jobs, before.scores, before.done, before.finished) == ({JobStatus.QUEUED: 3}, (), 0, None)
    made = await report()
    for text in (story(), story("Nothing of note.")):
        running = await claim(stores)
        ended = running.ended_as(JobStatus.COMPLETED, NOW + timedelta(minutes=1))
        await stores.leases.finish(ended, await report(text))
    progress = await stores.batches.progress("b")
    assert made.score
    assert (progress.jobs, progress.scores) == (
        {JobStatus.QUEUED: 1, JobStatus.COMPLETED: 2},
        (made.score.value, 100.0),
    )
    assert (progress.mean_score, progress.done) == ((made.score.value + 100) / 2, 2)
    counted = {count.guideline: (count.articles, count.findings) for count in progress.guidelines}
    assert counted == {outcome.guideline: (1, outcome.findings) for outcome in made.outcomes if outcome.findings}
    assert progress.finished is None
    for job_id in await stores.batches.unfinished("b"):
        await stores.jobs.cancel(job_id, NOW + timedelta(minutes=2))
    assert (await stores.batches.progress("b")).finished == NOW + timedelta(minutes=2)


async def test_pages_of_batches_go_backwards_in_time(stores: Stores) -> None:
    for place in range(3):
        await stores.batches.add(batch_submission(f"b{place}-", at=place))
    await stores.batches.add(batch_submission("other", user="eve"))
    first = await stores.batches.page("ada", None, 2)
    rest = await stores.batches.page("ada", Cursor(first[-1].submitted, first[-1].id), 2)
    assert [batch.id for batch in (*first, *rest)] == ["b2-", "b1-", "b0-"]


async def test_an_editor_does_not_wait_for_an_equal_article_of_a_batch(stores: Stores) -> None:
    waits = submission("waits", priority=Priority.BATCH, article_hash="same")
    await stores.jobs.add(waits)
    since = NOW - timedelta(hours=1)

    async def add(id: str, priority: Priority) -> str:
        sent = submission(id, priority=priority, article_hash="same")
        equal = type(sent)(sent.job, duplicates_since=since)
        return (await stores.jobs.add(equal)).id

    assert await add("later", Priority.BATCH) == "waits"
    assert await add("editor", Priority.INTERACTIVE) == "editor"
