from typing import Any

import pytest

from serving.adapters.database import Database
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.sql_trail import SqlTrail
from serving.adapters.stores import Stores
from serving.job import JobStatus
from tests.serving.adapters.test_sql_outbox import AFTER, HOLD
from tests.serving.build import NOW, claim, job, report, request, submission


@pytest.fixture
def trail(database: Database) -> SqlTrail:
    return SqlTrail(database)


async def check(stores: Stores, id: str, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> None:
    await stores.jobs.add(submission(id, **fields))
    await stores.leases.finish((await claim(stores)).ended_as(status, NOW), await report())


async def test_the_check_before_is_the_latest_completed_one_of_the_document(stores: Stores, trail: SqlTrail) -> None:
    mine = request(document_id="d")
    await check(stores, "a", request=mine)
    await check(stores, "b", request=mine, seconds=1)
    await check(stores, "c", JobStatus.PARTIAL, request=mine, seconds=2)
    await check(stores, "d", request=request(user="bob", document_id="d"), seconds=3)
    await check(stores, "e", request=request(document_id="e"), seconds=4)
    found = await trail.before(job("f", request=mine, seconds=5))
    assert found
    assert found.id == "b"
    assert await trail.before(job("a", request=mine)) is None


async def test_without_an_id_a_document_is_its_text(stores: Stores, trail: SqlTrail) -> None:
    await check(stores, "a", blob="one")
    await check(stores, "b", blob="two", seconds=1)
    await check(stores, "c", blob="one", request=request(document_id="d"), seconds=2)
    found = await trail.before(job("f", blob="one", seconds=5))
    assert found
    assert found.id == "a"


async def test_a_finding_is_found_in_all_checks_that_raise_it(stores: Stores, trail: SqlTrail) -> None:
    for seconds, id in enumerate("ab"):
        await check(stores, id, seconds=seconds)
    fingerprint = (await report()).findings[0].fingerprint
    assert [found.id for found in await trail.jobs_with(fingerprint)] == ["b", "a"]
    assert await trail.jobs_with("0" * 16) == []


async def test_a_run_is_told_once_it_is_logged(stores: Stores, trail: SqlTrail, database: Database) -> None:
    await check(stores, "a")
    outbox = SqlOutbox(database)
    entry = await outbox.claim(AFTER, HOLD)
    assert entry
    await outbox.began(entry, "run1")
    assert await trail.run_of("a") == ""
    await outbox.logged(entry, "run1")
    assert [await trail.run_of("a"), await trail.run_of("b")] == ["run1", ""]
