"""Everything that lives in the database, opened together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from serving.adapters.database import Database, open_database
from serving.adapters.sql_jobs import SqlJobStore
from serving.adapters.sql_leases import SqlLeases
from serving.adapters.sql_queue import SqlQueue
from serving.ports import Clock, JobQueue
from serving.settings import ServingSettings


@dataclass(frozen=True)
class Stores:
    """Jobs as clients, running attempts and the queue see them."""

    database: Database
    jobs: SqlJobStore
    leases: SqlLeases
    queue: JobQueue


@asynccontextmanager
async def open_stores(settings: ServingSettings, clock: Clock, *, works: bool) -> AsyncIterator[Stores]:
    """`works`: for a worker; the API only puts jobs into the queue.

    Raises DatabaseUnusable, DatabaseUnavailable and SchemaBehind.
    """
    database = await open_database(settings.database_url, settings.pool)
    try:
        if not database.is_postgres:
            queue = SqlQueue(database, clock)
            yield Stores(database, SqlJobStore(database), SqlLeases(database), queue)
            return
        # Imported where it is used: its memory counts, and it is there only with the extra `azure`.
        from serving.adapters.procrastinate_queue import procrastinate_queue

        async with procrastinate_queue(settings.database_url, database, works=works) as handing:
            jobs, leases = SqlJobStore(database, handing.enqueue), SqlLeases(database, handing.enqueue)
            yield Stores(database, jobs, leases, handing)
    finally:
        await database.close()
