"""A connection for reports: it reads, and the server lets it do nothing else."""

import pytest
from sqlalchemy import text

from serving.adapters.database import DatabaseUnavailable
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.stores import open_stores
from serving.settings import ServingSettings
from tests.postgres_server import new_database
from tests.serving.build import LEASE, NOW, ROOT, claim, submission
from tests.serving.service import free_port


@pytest.fixture
def url(postgres: str, migrated: str) -> str:
    return new_database(postgres, like=migrated)


async def test_the_database_refuses_what_is_written_through_it(url: str) -> None:
    async with open_stores(ServingSettings(db_connection_string=url, db_read_connection_string=url)) as stores:
        assert stores.reporting is not stores.database
        with pytest.raises(DatabaseUnavailable, match="takes no changes"):
            async with stores.reporting.write() as connection:
                await connection.execute(text("DELETE FROM audit"))
        with pytest.raises(DatabaseUnavailable, match="takes no changes"):
            async with stores.reporting.read() as connection:
                await connection.execute(text("DELETE FROM audit"))


async def test_reports_come_from_there_and_a_client_s_own_jobs_do_not(postgres: str, migrated: str, url: str) -> None:
    behind = new_database(postgres, like=migrated)  # a replica that has heard of nothing yet
    async with open_stores(ServingSettings(db_connection_string=url, db_read_connection_string=behind)) as stores:
        await stores.jobs.add(submission("dead"))
        await claim(stores)
        await stores.leases.give_back(NOW + 2 * LEASE, max_attempts=1)
        audit = SqlAudit(stores.database, reporting=stores.reporting)
        await audit.note(ROOT, "drain.begin", "drain", now=NOW)
        assert (await stores.jobs.dead(None, 9), await audit.page(None, 9)) == ([], [])
        assert [job.id for job in await stores.jobs.page("ada", None, 9)] == ["dead"]


async def test_without_one_the_database_itself_is_asked(settings: ServingSettings) -> None:
    async with open_stores(settings) as stores:
        assert stores.reporting is stores.database


async def test_a_replica_that_is_away_stops_reports_only(url: str) -> None:
    away = f"postgresql://copydesk@127.0.0.1:{free_port()}/none"
    async with open_stores(ServingSettings(db_connection_string=url, db_read_connection_string=away)) as stores:
        await stores.jobs.add(submission("a"))
        with pytest.raises(DatabaseUnavailable):
            await stores.jobs.dead(None, 9)
