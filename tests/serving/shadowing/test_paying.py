"""What checks in the shadow cost, whatever became of them, and where that ends."""

import asyncio
from typing import Any

import pytest

from serving.adapters.sql_shadows import SqlShadows
from serving.errors import BlobStoreUnavailable
from serving.job import Job
from serving.shadow import Bill, Shadow, Spent
from serving.shadowing import LONGEST
from tests.serving.shadowing.bench import Bench, Challenger, Later, Priced, under_way


class NotAtOnce(SqlShadows):
    """The database is away when the first bill is to be paid."""

    away = True

    async def pay(self, shadow: Shadow, job: Job, bill: Bill) -> None:
        if self.away:
            self.away = False
            raise BlobStoreUnavailable("it is away")
        await super().pay(shadow, job, bill)


@pytest.mark.parametrize("cap", [{"checks_a_day": 2}, {"checks_a_day": None, "budget": 2.0}])
async def test_a_day_ends_at_its_cap(bench: Bench, cap: dict[str, Any]) -> None:
    there, shadowing = await bench.started(**cap), bench.shadowing(Challenger(Priced()))
    jobs = [await bench.ended(id) for id in ("a", "b", "c")]
    for job in jobs[:2]:
        await shadowing.offer(job)
    while await shadowing.next():
        pass
    await shadowing.offer(jobs[2])
    assert not await shadowing.next()
    assert await bench.shadows.counts(there) == {"compared": 2, "waiting": 1}
    assert await bench.shadows.spent(there, there.started) == Spent(2, 4, 2.0)


async def test_what_an_interrupted_check_has_paid_counts_towards_the_cap(bench: Bench) -> None:
    there, model = await bench.started(checks_a_day=None, budget=1.0), Priced(answers=1)
    shadowing = await bench.offered(Challenger(model))
    checking = await under_way(shadowing, model)
    with shadowing.aside():
        assert not await checking
    assert await bench.shadows.spent(there, there.started) == Spent(1, 2, 1.0)
    assert (await shadowing.next(), model.asked) == (False, 2)


async def test_one_that_is_always_interrupted_is_left_out_and_was_paid(bench: Bench) -> None:
    there, model = await bench.started(), Priced(answers=1)
    shadowing = await bench.offered(Challenger(model))
    for _ in range(3):
        model.asked = 0
        model.silent.clear()
        checking = await under_way(shadowing, model)
        with shadowing.aside():
            assert not await checking
    assert not await shadowing.next()
    assert await bench.shadows.counts(there) == {"interrupted 3 times": 1}
    assert await bench.shadows.spent(there, there.started) == Spent(1, 6, 3.0)


async def test_one_that_takes_too_long_is_left_out_and_was_paid(bench: Bench) -> None:
    there, model, clock = await bench.started(checks_a_day=None, budget=1.0), Priced(answers=1), Later()
    shadowing = await bench.offered(Challenger(model), "a", "b", clock=clock)
    checking = await under_way(shadowing, model)
    clock.by = LONGEST
    assert await checking
    assert await bench.shadows.counts(there) == {"it took longer than 300 seconds": 1, "waiting": 1}
    assert await bench.shadows.spent(there, there.started) == Spent(1, 2, 1.0)
    assert not await shadowing.next()


async def test_a_worker_that_is_told_to_stop_pays_for_what_it_had_in_hand(bench: Bench) -> None:
    there, model = await bench.started(), Priced(answers=1)
    shadowing = await bench.offered(Challenger(model))
    checking = await under_way(shadowing, model)
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert await bench.shadows.spent(there, there.started) == Spent(1, 2, 1.0)


async def test_what_could_not_be_booked_is_booked_later(bench: Bench) -> None:
    there, bench.shadows = await bench.started(), NotAtOnce(bench.stores.database)
    shadowing = await bench.offered(Challenger(Priced()))
    with pytest.raises(BlobStoreUnavailable):
        await shadowing.next()
    await shadowing.next()
    assert (await bench.shadows.spent(there, there.started)).cost == 2.0


async def test_an_unknown_cost_ends_a_shadow_with_a_budget(bench: Bench) -> None:
    await bench.started(checks_a_day=None, budget=5.0)
    shadowing = await bench.offered(Challenger(Priced(price=None)))
    await shadowing.next()
    stopped = await bench.shadows.latest()
    assert stopped
    assert (await bench.shadows.active(), "price table" in stopped.reason) == (None, True)
