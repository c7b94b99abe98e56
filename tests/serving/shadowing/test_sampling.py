"""Which articles a challenger checks, and what comes of it."""

from typing import Any

import pytest

from serving.job import JobStatus, Priority
from serving.settings import ServingSettings
from serving.shadow import Compared, Spent
from tests.serving.build import request, story
from tests.serving.shadowing.bench import Bench, Challenger


async def test_a_sampled_article_is_compared_and_nothing_else_changes(bench: Bench) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    job = await bench.ended("a")
    before = await bench.stores.jobs.result("a")
    await shadowing.offer(job)
    assert [await shadowing.next(), await shadowing.next()] == [True, False]
    (pair,) = await bench.shadows.pairs(there)
    same, differs = pair.guidelines
    assert (pair.job, same) == ("a", Compared("attribution", 1))
    assert (differs.both, len(differs.only_champion), len(differs.only_challenger)) == (0, 1, 1)
    (new,) = differs.only_challenger
    assert (story().text[new.start : new.end], new.paragraph) == ("Of course", 1)
    assert await bench.shadows.spent(there, there.started) == Spent(1, 0, 0.0)
    assert (await bench.stores.jobs.get("a"), await bench.stores.jobs.result("a")) == (job, before)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": JobStatus.PARTIAL},
        {"priority": Priority.BATCH},
        {"version": "3"},
    ],
)
async def test_only_whole_reports_of_the_champion_for_an_editor_are_sampled(
    bench: Bench, fields: dict[str, Any]
) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    await shadowing.offer(await bench.ended("a", **fields))
    assert (await shadowing.next(), await bench.shadows.counts(there)) == (False, {})


async def test_a_document_is_compared_once_however_often_it_is_checked(bench: Bench) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    for id in ("a", "b"):
        await shadowing.offer(await bench.ended(id, request=request(document_id="d")))
    while await shadowing.next():
        pass
    assert [pair.job for pair in await bench.shadows.pairs(there)] == ["a"]


async def test_no_more_articles_wait_than_a_day_may_check(bench: Bench) -> None:
    there = await bench.started(checks_a_day=2)
    await bench.offered(Challenger(), "a", "b", "c")
    assert await bench.shadows.counts(there) == {"waiting": 2}


async def test_an_article_that_can_not_be_read_says_so(bench: Bench, settings: ServingSettings) -> None:
    there, shadowing = await bench.started(), bench.shadowing(Challenger())
    job = await bench.ended("a")
    (settings.articles / job.blob[:2] / job.blob).write_bytes(b"no article")
    await shadowing.offer(job)
    assert await shadowing.next()
    assert await bench.shadows.counts(there) == {"an unexpected JSONDecodeError: the worker's log has the details": 1}
