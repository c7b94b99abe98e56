from datetime import timedelta

import pytest

from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from serving.errors import NoChampion, NoWorker
from serving.usecases.readiness import SILENCE, ready
from tests.serving.build import NOW, served


async def test_it_is_not_ready_before_a_version_is_served(database: Database) -> None:
    with pytest.raises(NoChampion, match=r"run `copydesk register` and `copydesk promote`, and start a worker"):
        await ready(SqlServedVersions(database), now=NOW)


async def test_it_is_ready_while_a_worker_is_heard_of(database: Database) -> None:
    versions = SqlServedVersions(database)
    await versions.put(served())
    assert await ready(versions, now=NOW + SILENCE) == served()


async def test_a_silent_worker_is_named(database: Database) -> None:
    versions = SqlServedVersions(database)
    await versions.put(served())
    with pytest.raises(NoWorker, match="since 2026-11-23 12:00:00 UTC: start one with `copydesk worker`"):
        await ready(versions, now=NOW + SILENCE + timedelta(seconds=1))
