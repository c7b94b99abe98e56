"""Who did what, in the database."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import RowMapping, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.access.audit import Actor, AuditEntry
from serving.adapters.access_tables import audit
from serving.adapters.database import Database
from serving.ports.jobs import Cursor


class SqlAudit:
    def __init__(self, database: Database, *, reporting: Database | None = None) -> None:
        self._database = database
        self._reporting = reporting or database

    async def note(self, by: Actor, action: str, subject: str, detail: str = "", *, now: datetime) -> None:
        async with self._database.write() as connection:
            await note(connection, by, action, subject, detail, now=now)

    async def page(self, before: Cursor | None, limit: int) -> list[AuditEntry]:
        query = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(or_(audit.c.at < before.at, and_(audit.c.at == before.at, audit.c.id < before.id)))
        return [_entry(row) for row in await self._reporting.fetch(query)]


async def note(
    connection: AsyncConnection, by: Actor, action: str, subject: str, detail: str = "", *, now: datetime
) -> None:
    """In the transaction that takes the step, so that there is neither without the other."""
    row = {
        "id": uuid4().hex,
        "at": now,
        "user_id": by.user,
        "via": by.via,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    await connection.execute(audit.insert(), row)


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(row["id"], row["at"], row["user_id"], row["via"], row["action"], row["subject"], row["detail"])
