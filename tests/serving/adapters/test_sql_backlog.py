"""How much is to be done, and what of it waits in vain."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from serving.adapters.sql_backlog import SqlBacklog
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.ports.versions import ServedVersion
from serving.usecases.readiness import SILENCE
from tests.serving.build import LEASE, NOW, SPEC, claim, served, submission

OLD = "0" * 64  # the code of the release before


def of_old_release(number: str, *, at: datetime = NOW) -> ServedVersion:
    new = served(number, at=at)
    return replace(new, stamp=new.stamp.model_copy(update={"code_digest": OLD}))


@pytest.fixture
def backlog(stores: Stores) -> SqlBacklog:
    return SqlBacklog(stores.database)


@pytest.fixture
def versions(stores: Stores) -> SqlServedVersions:
    return SqlServedVersions(stores.database)


async def stranded(backlog: SqlBacklog, now: datetime = NOW) -> tuple[int, tuple[str, ...]]:
    read = await backlog.read(now)
    return read.stranded, read.stranded_versions


async def test_nothing_is_stranded_where_nothing_waits(backlog: SqlBacklog) -> None:
    assert await stranded(backlog) == (0, ())


async def test_jobs_of_a_release_that_no_worker_runs_are_counted_with_their_versions(
    stores: Stores, backlog: SqlBacklog, versions: SqlServedVersions
) -> None:
    await versions.put(of_old_release("10", at=NOW - 2 * SILENCE))
    await versions.put(served("11"))
    for id, version, code in (("a", "10", OLD), ("b", "9", OLD), ("c", "10", OLD), ("d", "11", SPEC.code)):
        await stores.jobs.add(submission(id, version=version, code_digest=code))
    assert await stranded(backlog) == (3, ("9", "10"))
    assert (await backlog.read(NOW)).waiting == 4


async def test_a_worker_takes_the_jobs_of_all_versions_of_its_release(
    stores: Stores, backlog: SqlBacklog, versions: SqlServedVersions
) -> None:
    await stores.jobs.add(submission("a", version="1"))
    await versions.put(served("2"))
    assert await stranded(backlog, NOW + SILENCE) == (0, ())
    assert await stranded(backlog, NOW + SILENCE + timedelta(seconds=1)) == (1, ("1",))


async def test_a_worker_of_the_release_before_that_goes_on_is_counted_on(
    stores: Stores, backlog: SqlBacklog, versions: SqlServedVersions
) -> None:
    await versions.put(of_old_release("1"))
    await versions.put(served("2", at=NOW + SILENCE))
    await versions.heard("1", NOW + SILENCE)
    await stores.jobs.add(submission("a", version="1", code_digest=OLD))
    assert await stranded(backlog, NOW + 2 * SILENCE) == (0, ())


async def test_one_that_says_nothing_is_known_by_the_job_it_runs(stores: Stores, backlog: SqlBacklog) -> None:
    for id in "ab":
        await stores.jobs.add(submission(id, code_digest=OLD))
    await claim(stores)
    assert await stranded(backlog) == (0, ())
    assert await stranded(backlog, NOW + LEASE) == (1, ("1",))


async def test_a_job_that_is_to_wait_is_not_stranded_before(stores: Stores, backlog: SqlBacklog) -> None:
    await stores.jobs.add(submission("a"))
    await stores.leases.retry(await claim(stores), NOW, "down", pause=LEASE, max_attempts=2)
    assert await stranded(backlog, NOW + LEASE / 2) == (0, ())
    assert await stranded(backlog, NOW + LEASE) == (1, ("1",))
