"""How a shadow ends, and what stays of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from serving.access.audit import Actor
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_versions import SqlServedVersions
from serving.app import utc_now
from serving.errors import ShadowRunning
from serving.ports.versions import ServedVersion
from serving.shadow import Compared, Pair, Place
from tests.serving.build import evidence, served
from tests.serving.shadowing.bench import Bench, Challenger
from tests.serving.test_shadow import places, shadow

OLD_RESULT = """
INSERT INTO shadow_results (shadow_id, job_id, guideline_id, "both", only_champion, only_challenger)
VALUES (:shadow, :job, 'g', 1, 'f1,f2', 'f3')
"""


def champion(number: str, *, promoted: datetime) -> ServedVersion:
    return replace(served(number, at=utc_now()), evidence=evidence(int(number), at=promoted))


async def test_another_champion_ends_it(bench: Bench) -> None:
    there, shadowing = await bench.started(), await bench.offered(Challenger())
    await SqlServedVersions(bench.stores.database).put(champion("3", promoted=utc_now()))
    assert not await shadowing.next()
    stopped = await bench.shadows.latest()
    assert stopped
    assert (stopped.id, stopped.reason) == (there.id, "version 3 became champion")
    entries = await SqlAudit(bench.stores.database).page(None, 10)
    assert {(entry.action, entry.subject) for entry in entries} == {("shadow.started", "2"), ("shadow.stopped", "2")}


async def test_a_champion_that_workers_have_yet_to_see_ends_nothing(bench: Bench) -> None:
    """Until their next poll they say that the one before serves."""
    versions, shadowing = SqlServedVersions(bench.stores.database), bench.shadowing(Challenger())
    there = await bench.started(champion="3")
    await versions.put(champion("1", promoted=there.started - timedelta(days=1)))
    assert not await shadowing.next()
    assert await bench.shadows.active() == there
    await versions.put(champion("3", promoted=there.started - timedelta(seconds=1)))
    await shadowing.offer(await bench.ended("a", version="3"))
    assert await shadowing.next()


async def test_there_is_one_at_a_time_and_its_pairs_stay(bench: Bench) -> None:
    there = await bench.started()
    with pytest.raises(ShadowRunning, match="another challenger runs in the shadow"):
        await bench.shadows.start(shadow(id="other"))
    job = await bench.ended("a")
    await bench.shadows.offer(there, "a", job, utc_now())
    found = [Compared("g", 1, places("f1", "f2"), places("f3")), Compared("h", 2)]
    await bench.shadows.compared(there, job, found, utc_now())
    await bench.shadows.stop(there, "why", utc_now(), by=Actor("bob", "command"))
    await bench.shadows.start(shadow(id="other"))
    assert await bench.shadows.pairs(there) == [Pair("a", tuple(found))]


async def test_what_a_release_before_compared_has_no_places(bench: Bench) -> None:
    there = await bench.started()
    await bench.shadows.offer(there, "a", await bench.ended("a"), utc_now())
    async with bench.stores.database.write() as connection:
        values = {"shadow": there.id, "job": "a"}
        await connection.execute(text(OLD_RESULT), values)
    (pair,) = await bench.shadows.pairs(there)
    assert pair.guidelines == (Compared("g", 1, (Place("f1"), Place("f2")), (Place("f3"),)),)
