"""The versions that workers serve, in the database."""

from datetime import datetime

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.engine import RowMapping

from agent.guideline import GuidelinePack
from agent.report import VersionStamp
from serving.adapters.database import Database
from serving.adapters.tables import served_versions
from serving.ports import ServedVersion


class SqlServedVersions:
    """One row a version; at most one is champion."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, version: ServedVersion) -> None:
        number = version.stamp.number
        row = {
            "number": number,
            "stamp": version.stamp.model_dump_json(),
            "pack": version.pack.model_dump_json(),
            "champion": version.champion,
            "served_at": version.served,
        }
        async with self._database.write() as connection:
            if version.champion:
                await connection.execute(update(served_versions).values(champion=False))
            same = and_(served_versions.c.number == number, served_versions.c.stamp == row["stamp"])
            again = update(served_versions).where(same).values(champion=version.champion, served_at=version.served)
            if (await connection.execute(again)).rowcount:
                return  # the stamp holds the pack's digest; workers say this every few seconds
            await connection.execute(delete(served_versions).where(served_versions.c.number == number))
            await connection.execute(insert(served_versions), row)

    async def heard(self, number: str, now: datetime) -> None:
        said = update(served_versions).where(served_versions.c.number == number).values(served_at=now)
        async with self._database.write() as connection:
            await connection.execute(said)

    async def champion(self) -> ServedVersion | None:
        query = select(served_versions).where(served_versions.c.champion)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return _version(row) if row else None

    async def all(self) -> list[ServedVersion]:
        query = select(served_versions).order_by(served_versions.c.served_at.desc())
        async with self._database.read() as connection:
            return [_version(row) for row in (await connection.execute(query)).mappings()]


def _version(row: RowMapping) -> ServedVersion:
    return ServedVersion(
        stamp=VersionStamp.model_validate_json(row["stamp"]),
        pack=GuidelinePack.model_validate_json(row["pack"]),
        champion=row["champion"],
        served=row["served_at"],
    )
