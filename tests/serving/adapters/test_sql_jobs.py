import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from serving.adapters.stores import Stores
from serving.adapters.tables import jobs
from serving.errors import IdempotencyConflict, QueueFull
from serving.job import JobStatus, Priority
from serving.ports.jobs import Cursor, Submission
from tests.serving.build import LEASE, NOW, claim, job, report, request, submission

HOUR_AGO = NOW - timedelta(hours=1)


def article(
    id: str, *, minutes: float = 0, since: datetime = HOUR_AGO, hash: str = "same", **fields: Any
) -> Submission:
    made = job(id, seconds=60 * minutes, article_hash=hash, **fields)
    return Submission(made, duplicates_since=since + timedelta(minutes=minutes))


async def test_a_job_comes_back_whole(stores: Stores) -> None:
    asked = request(title="Heat 🌡", guidelines=("plain-words",), document_id="d", language="de-AT")
    whole = job(
        "a", request=asked, priority=Priority.BATCH, callback_url="https://x.example/", batch="b", trace_parent="00-1"
    )
    assert await stores.jobs.add(Submission(whole)) == whole
    assert (await stores.jobs.get("a"), await stores.jobs.get("b")) == (whole, None)


async def test_a_key_names_its_users_first_request(stores: Stores) -> None:
    await stores.jobs.add(submission("a", key="k", request_hash="1"))
    assert await stores.jobs.add(submission("b", key="k", request_hash="1")) == job("a")
    with pytest.raises(IdempotencyConflict, match="'k' was used for another article"):
        await stores.jobs.add(submission("c", key="k", request_hash="2"))
    other = submission("d", key="k", request_hash="3", request=request(user="bob"))
    assert (await stores.jobs.add(other)).id == "d"


def keyed(submitted: Submission, key: str, request_hash: str) -> Submission:
    return replace(submitted, idempotency_key=key, request_hash=request_hash)


async def test_a_key_that_came_to_an_equal_article_stands_for_its_job_for_good(stores: Stores) -> None:
    first = await stores.jobs.add(article("a"))
    user = first.request.user
    assert await stores.jobs.add(keyed(article("b"), "k", "1")) == first
    await stores.jobs.cancel("a", NOW)  # it stands for no equal article any more
    assert (await stores.jobs.add(keyed(article("c"), "k", "1"))).id == "a"
    assert await stores.jobs.of_key(user, "k", "1") == await stores.jobs.get("a")
    for other in (stores.jobs.add(submission("d", key="k", request_hash="2")), stores.jobs.of_key(user, "k", "2")):
        with pytest.raises(IdempotencyConflict):
            await other
    assert await stores.jobs.of_key("bob", "k", "1") is None


async def test_what_a_release_before_makes_of_a_key_that_it_does_not_know_counts_for_nothing(stores: Stores) -> None:
    first = await stores.jobs.add(article("a"))
    await stores.jobs.add(keyed(article("b"), "k", "1"))
    await stores.jobs.add(submission("c"))
    async with stores.database.write() as connection:
        row = {"idempotency_key": "k", "request_hash": "2"}
        await connection.execute(jobs.update().where(jobs.c.id == "c").values(row))
    assert await stores.jobs.of_key(first.request.user, "k", "1") == first
    assert await stores.jobs.add(keyed(article("d"), "k", "1")) == first
    with pytest.raises(IdempotencyConflict):
        await stores.jobs.add(keyed(article("e", hash="other"), "k", "2"))


async def test_of_one_key_for_an_equal_article_and_another_at_the_same_moment_one_stands(stores: Stores) -> None:
    for number in range(5):
        key, hash = f"k{number}", str(number)
        await stores.jobs.add(article(f"first{number}", hash=hash))
        equal, other = article(f"equal{number}", hash=hash), submission(f"other{number}")
        both = [stores.jobs.add(keyed(one, key, str(place))) for place, one in enumerate((equal, other))]
        told = await asyncio.gather(*both, return_exceptions=True)
        assert [type(one) for one in told].count(IdempotencyConflict) == 1


async def test_of_requests_with_one_key_at_the_same_moment_one_stands(stores: Stores) -> None:
    added = await asyncio.gather(*(stores.jobs.add(submission(f"job{n}", key="k")) for n in range(10)))
    assert len({stored.id for stored in added}) == 1
    assert await stores.jobs.waiting() == 1


async def test_an_equal_article_within_the_hour_is_the_same_job(stores: Stores) -> None:
    await stores.jobs.add(article("a"))
    assert (await stores.jobs.add(article("b", minutes=59))).id == "a"
    assert (await stores.jobs.add(article("c", minutes=59, hash="other"))).id == "c"
    assert (await stores.jobs.add(article("d", minutes=61))).id == "d"


async def test_of_equal_articles_at_the_same_moment_one_stands(stores: Stores) -> None:
    added = await asyncio.gather(*(stores.jobs.add(article(f"job{n}")) for n in range(10)))
    assert len({stored.id for stored in added}) == 1


@pytest.mark.parametrize("status", [JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED])
async def test_a_report_with_gaps_stands_for_no_other_article(stores: Stores, status: JobStatus) -> None:
    await stores.jobs.add(article("a"))
    await stores.leases.finish((await claim(stores)).ended_as(status, NOW), None)
    assert (await stores.jobs.add(article("b", minutes=1))).id == "b"


async def test_a_complete_report_stands_for_an_equal_article(stores: Stores) -> None:
    await stores.jobs.add(article("a"))
    await stores.leases.finish((await claim(stores)).ended_as(JobStatus.COMPLETED, NOW), await report())
    assert (await stores.jobs.add(article("b", minutes=1))).status is JobStatus.COMPLETED


async def test_a_full_queue_takes_no_more(stores: Stores) -> None:
    await stores.jobs.add(replace(submission("a", key="k"), queue_limit=1))
    with pytest.raises(QueueFull, match="1 jobs are waiting, the limit is 1"):
        await stores.jobs.add(replace(submission("b"), queue_limit=1))
    assert (await stores.jobs.add(replace(submission("c", key="k"), queue_limit=1))).id == "a"


async def test_users_take_turns_and_editors_go_before_batches(stores: Stores) -> None:
    ada, bob = request(user="ada"), request(user="bob")
    sent = [("a1", ada), ("a2", ada), ("a3", ada), ("b1", bob), ("b2", bob)]
    batch = job("batch", seconds=-9, request=bob, priority=Priority.BATCH)
    await stores.jobs.add(Submission(batch))
    added = [await stores.jobs.add(submission(id, seconds=n, request=who)) for n, (id, who) in enumerate(sent)]
    places = [await stores.jobs.position(one) for one in [*added, batch]]
    assert places == [1, 3, 5, 2, 4, 6]
    assert [(await claim(stores)).id for _ in range(6)] == ["a1", "b1", "a2", "b2", "a3", "batch"]


async def test_whoever_comes_late_joins_where_the_queue_is(stores: Stores) -> None:
    for number in range(4):
        await stores.jobs.add(submission(f"a{number}", seconds=number))
    for _ in range(2):
        await claim(stores)
    late = await stores.jobs.add(submission("b", seconds=9, request=request(user="bob")))
    assert await stores.jobs.position(late) == 2


async def test_a_user_pages_through_own_jobs_the_latest_first(stores: Stores) -> None:
    for number in range(5):
        await stores.jobs.add(submission(f"job{number}", seconds=number // 2))
    await stores.jobs.add(submission("other", request=request(user="bob")))
    first = await stores.jobs.page("ada", None, 2)
    rest = await stores.jobs.page("ada", Cursor(first[-1].submitted, first[-1].id), 9)
    assert [one.id for one in [*first, *rest]] == ["job4", "job3", "job2", "job1", "job0"]


async def test_a_running_job_keeps_nobody_from_the_queue(stores: Stores) -> None:
    await stores.jobs.add(submission("a"))
    await claim(stores, lease=LEASE)
    assert await stores.jobs.waiting() == 0


async def test_all_that_were_given_up_are_paged_through_the_latest_first(stores: Stores) -> None:
    for number in range(5):
        await stores.jobs.add(submission(f"job{number}", seconds=number // 2, request=request(user=f"user{number}")))
        await claim(stores)
    await stores.leases.give_back(NOW + 2 * LEASE, max_attempts=1)
    await stores.jobs.add(submission("waits", seconds=1))
    first = await stores.jobs.dead(None, 2)
    rest = await stores.jobs.dead(Cursor(first[-1].submitted, first[-1].id), 9)
    assert [one.id for one in [*first, *rest]] == ["job4", "job3", "job2", "job1", "job0"]
    assert await stores.jobs.count_dead() == 5
