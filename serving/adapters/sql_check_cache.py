"""Finished checks in the database, for one machine; several share them through Redis."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from serving.adapters.database import Database, DatabaseUnavailable
from serving.adapters.tables import kept_checks
from serving.adapters.upsert import upsert
from serving.ports.clocks import Clock

MOST_KEYS = 500  # in one statement

logger = logging.getLogger(__name__)


class SqlKeyValues:
    """One row a verdict; what is asked for again is as good as new.

    While the database is away nothing is found and nothing is kept.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._away = False

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        try:
            found = await self._get(keys)
        except DatabaseUnavailable as error:
            self._failed(error)
            return {}
        self._away = False
        return found

    async def put(self, values: Mapping[str, bytes]) -> None:
        try:
            await self._put(values)
        except DatabaseUnavailable as error:
            self._failed(error)
        else:
            self._away = False

    async def _get(self, keys: list[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        async with self._database.read() as connection:
            for start in range(0, len(keys), MOST_KEYS):
                part = keys[start : start + MOST_KEYS]
                query = select(kept_checks.c.key, kept_checks.c.verdict).where(kept_checks.c.key.in_(part))
                found.update((key, verdict) for key, verdict in await connection.execute(query))
        return found

    async def _put(self, values: Mapping[str, bytes]) -> None:
        now = self._clock()
        rows = [{"key": key, "verdict": value, "kept_at": now} for key, value in values.items()]
        async with self._database.write() as connection:
            statement = upsert(connection, kept_checks)
            newer = {"verdict": statement.excluded.verdict, "kept_at": statement.excluded.kept_at}
            await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=newer), rows)

    async def forget(self, age: timedelta) -> int:
        """Drops what was kept longer ago; how many."""
        before: datetime = self._clock() - age
        async with self._database.write() as connection:
            return (await connection.execute(delete(kept_checks).where(kept_checks.c.kept_at < before))).rowcount

    def _failed(self, error: DatabaseUnavailable) -> None:
        if not self._away:
            self._away = True
            logger.warning("%s; finished checks are made again until then", error)
