"""API keys in the database."""

from datetime import datetime

from sqlalchemy import RowMapping, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.access.api_keys import NOTED_EVERY, ApiKey
from serving.access.audit import Actor
from serving.access.caller import Permission
from serving.adapters.access_tables import api_keys
from serving.adapters.database import Database
from serving.adapters.sql_audit import note


class SqlApiKeys:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ApiKey, by: Actor) -> None:
        async with self._database.write() as connection:
            await connection.execute(api_keys.insert().values(_row(key)))
            await _note(connection, by, "key.create", key, key.created)

    async def get(self, id: str) -> ApiKey | None:
        found = await self._database.fetch(select(api_keys).where(api_keys.c.id == id))
        return _key(found[0]) if found else None

    async def all(self) -> list[ApiKey]:
        query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        return [_key(row) for row in await self._database.fetch(query)]

    async def revoke(self, id: str, by: Actor, now: datetime) -> ApiKey | None:
        revoked = update(api_keys).values(revoked_at=func.coalesce(api_keys.c.revoked_at, now))
        async with self._database.write() as connection:
            found = await connection.execute(revoked.where(api_keys.c.id == id).returning(*api_keys.c))
            row = found.mappings().one_or_none()
            if row is None:
                return None
            await _note(connection, by, "key.revoke", _key(row), now)
        return _key(row)

    async def used(self, id: str, now: datetime) -> None:
        due = or_(api_keys.c.used_at.is_(None), api_keys.c.used_at < now - NOTED_EVERY)
        async with self._database.write() as connection:
            await connection.execute(update(api_keys).where(api_keys.c.id == id, due).values(used_at=now))


async def _note(connection: AsyncConnection, by: Actor, action: str, key: ApiKey, now: datetime) -> None:
    detail = f"{key.name}, user {key.user}, may {' '.join(sorted(key.scopes))}"
    await note(connection, by, action, key.id, detail, now=now)


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "digest": key.digest,
        "user_id": key.user,
        "name": key.name,
        "scopes": " ".join(sorted(key.scopes)),
        "created_at": key.created,
        "created_by": key.created_by,
        "expires_at": key.expires,
        "revoked_at": key.revoked,
        "used_at": key.used,
    }


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(
        id=row["id"],
        digest=row["digest"],
        user=row["user_id"],
        name=row["name"],
        scopes=frozenset(Permission(name) for name in row["scopes"].split()),
        created=row["created_at"],
        created_by=row["created_by"],
        expires=row["expires_at"],
        revoked=row["revoked_at"],
        used=row["used_at"],
    )
