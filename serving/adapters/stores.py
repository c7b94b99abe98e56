"""Everything that lives in the database, opened together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from serving.adapters.database import Database, open_database, open_reporting
from serving.adapters.procrastinate_deferral import defer
from serving.adapters.sql_batches import SqlBatches
from serving.adapters.sql_feedback import SqlFeedback
from serving.adapters.sql_jobs import SqlJobStore, in_the_table
from serving.adapters.sql_leases import SqlLeases
from serving.adapters.sql_queue import SqlQueue
from serving.ports.clocks import Clock
from serving.ports.jobs import JobQueue
from serving.settings import ServingSettings


@dataclass(frozen=True)
class Stores:
    """Jobs as clients and running attempts see them."""

    database: Database
    jobs: SqlJobStore
    batches: SqlBatches
    leases: SqlLeases
    feedback: SqlFeedback
    reporting: Database  # for reads that may be seconds old


@dataclass(frozen=True)
class WorkerStores(Stores):
    """And as they are handed out."""

    queue: JobQueue


@asynccontextmanager
async def open_stores(settings: ServingSettings) -> AsyncIterator[Stores]:
    """Raises DatabaseUnusable, DatabaseUnavailable and SchemaBehind."""
    database = await open_database(settings.database_url, settings.pool)
    reporting = database
    try:
        if settings.db_read_connection_string:
            reporting = await open_reporting(settings.db_read_connection_string, settings.pool)
        yield _stores(database, reporting)
    finally:
        if reporting is not database:
            await reporting.close()
        await database.close()


@asynccontextmanager
async def open_worker_stores(settings: ServingSettings, clock: Clock) -> AsyncIterator[WorkerStores]:
    """Raises DatabaseUnusable, DatabaseUnavailable and SchemaBehind."""
    async with open_stores(settings) as stores:
        opened = (stores.database, stores.jobs, stores.batches, stores.leases, stores.feedback, stores.reporting)
        if not stores.database.is_postgres:
            yield WorkerStores(*opened, SqlQueue(stores.database, clock))
            return
        # Imported where it is used: its memory counts, and it is there only with the extra `azure`.
        from serving.adapters.procrastinate_queue import procrastinate_queue

        async with procrastinate_queue(settings.database_url, stores.database) as queue:
            yield WorkerStores(*opened, queue)


def _stores(database: Database, reporting: Database) -> Stores:
    enqueue = defer if database.is_postgres else in_the_table
    return Stores(
        database,
        SqlJobStore(database, enqueue, reporting=reporting),
        SqlBatches(database, enqueue),
        SqlLeases(database, enqueue),
        SqlFeedback(database),
        reporting,
    )
