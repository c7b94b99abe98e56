"""Editors come first: no article is checked in the shadow while one waits."""

from contextlib import ExitStack
from datetime import datetime

from serving.adapters.sql_shadows import SqlShadows
from serving.adapters.stores import open_worker_stores
from serving.app import utc_now
from serving.job import Job, JobStatus
from serving.settings import ServingSettings
from serving.shadow import Shadow, Spent
from serving.shadowing import Shadowing
from tests.serving.build import claim, submission
from tests.serving.shadowing.bench import Bench, Challenger, Priced, under_way


class EditorComes(SqlShadows):
    """An editor's job comes while an article is claimed."""

    coming: Shadowing
    hand: ExitStack

    async def claim(self, shadow: Shadow, now: datetime) -> Job | None:
        found = await super().claim(shadow, now)
        self.hand.enter_context(self.coming.aside())
        return found


async def test_nothing_is_checked_while_an_editor_waits(bench: Bench) -> None:
    await bench.started()
    shadowing = await bench.offered(Challenger())
    await bench.stores.jobs.add(submission("waits"))
    assert not await shadowing.next()
    running = await claim(bench.stores, utc_now())
    assert not await shadowing.next()
    await bench.stores.leases.finish(running.ended_as(JobStatus.FAILED, utc_now()), None)
    with shadowing.aside():
        assert not await shadowing.next()
    assert await shadowing.next()


async def test_a_check_stops_when_an_editors_job_begins_and_is_taken_up_again(bench: Bench) -> None:
    there, model = await bench.started(), Priced(answers=0)
    shadowing = await bench.offered(Challenger(model))
    checking = await under_way(shadowing, model)
    with shadowing.aside():
        assert not await checking
    assert await bench.shadows.counts(there) == {"waiting": 1}
    model.goes_on.set()
    assert await shadowing.next()
    assert await bench.shadows.counts(there) == {"compared": 1}


async def test_a_check_stops_when_another_worker_takes_an_editors_job(bench: Bench, settings: ServingSettings) -> None:
    there, model = await bench.started(), Priced(answers=0)
    shadowing = await bench.offered(Challenger(model))
    checking = await under_way(shadowing, model)
    async with open_worker_stores(settings, utc_now) as others:
        await others.jobs.add(submission("b"))
        await claim(others, utc_now())
        assert not await checking
    assert await bench.shadows.counts(there) == {"waiting": 1}


async def test_an_article_that_was_claimed_as_an_editor_came_was_not_begun(bench: Bench) -> None:
    there = await bench.started()
    bench.shadows = meanwhile = EditorComes(bench.stores.database)
    shadowing = meanwhile.coming = await bench.offered(Challenger())
    for _ in range(4):
        with ExitStack() as meanwhile.hand:
            assert not await shadowing.next()
    assert await bench.shadows.spent(there, there.started) == Spent(0, 0, 0.0)
    assert await bench.shadows.counts(there) == {"waiting": 1}


async def test_two_workers_check_one_article_at_a_time(bench: Bench) -> None:
    await bench.started()
    model = Priced(answers=0)
    first, second = await bench.offered(Challenger(model), "a", "b"), bench.shadowing(Challenger())
    checking = await under_way(first, model)
    assert not await second.next()
    model.goes_on.set()
    assert await checking
    assert await second.next()
