"""Locks with a term, in the database: work that one worker at a time does for all of them."""

from datetime import datetime, timedelta

from sqlalchemy import or_

from serving.adapters.database import Database
from serving.adapters.tables import locks
from serving.adapters.upsert import upsert


class SqlLocks:
    """Whoever holds a lock takes it again before its term is over; when they die, it runs out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, name: str, holder: str, now: datetime, term: timedelta) -> bool:
        row = {"name": name, "holder": holder, "until": now + term}
        async with self._database.write() as connection:
            insert = upsert(connection, locks)
            taken = insert.values(row).on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
                where=or_(locks.c.until < now, locks.c.holder == holder),
            )
            # Not the row count: of an insert, SQLAlchemy tells PostgreSQL's as -1.
            return (await connection.execute(taken.returning(locks.c.name))).first() is not None

    async def release(self, name: str, holder: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(locks.delete().where(locks.c.name == name, locks.c.holder == holder))
