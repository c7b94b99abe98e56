"""Word of changes in the registry, in the database: all workers read it, whoever was told."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from serving.adapters.database import Database
from serving.adapters.evidence_tables import registry_hints
from serving.adapters.upsert import upsert

KEPT = timedelta(hours=1)  # longer than a delivery can be repeated


class SqlRegistryHints:
    """A row for each delivery, so that a repeated one is none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give(self, delivery: str, now: datetime) -> bool:
        async with self._database.write() as connection:
            await connection.execute(registry_hints.delete().where(registry_hints.c.given_at < now - KEPT))
            insert = upsert(connection, registry_hints).values(delivery=delivery, given_at=now)
            given = insert.on_conflict_do_nothing(index_elements=["delivery"]).returning(registry_hints.c.number)
            return (await connection.execute(given)).first() is not None

    async def latest(self) -> int:
        (row,) = await self._database.fetch(select(func.max(registry_hints.c.number).label("number")))
        return row["number"] or 0
