"""INSERT ... ON CONFLICT, which both databases have, each in its own words."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.ext.asyncio import AsyncConnection


def upsert(connection: AsyncConnection, table: Table) -> PostgresInsert | SqliteInsert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
