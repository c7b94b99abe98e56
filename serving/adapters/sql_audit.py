"""Who did what, in the database."""

from sqlalchemy import and_, or_, select

from serving.access.audit import AuditEntry
from serving.adapters.access_tables import audit
from serving.adapters.database import Database
from serving.ports import Cursor


class SqlAudit:
    def __init__(self, database: Database, *, reporting: Database | None = None) -> None:
        self._database = database
        self._reporting = reporting or database

    async def note(self, *entries: AuditEntry) -> None:
        rows = [
            {
                "id": entry.id,
                "at": entry.at,
                "user_id": entry.user,
                "via": entry.via,
                "action": entry.action,
                "subject": entry.subject,
                "detail": entry.detail,
            }
            for entry in entries
        ]
        async with self._database.write() as connection:
            await connection.execute(audit.insert(), rows)

    async def page(self, before: Cursor | None, limit: int) -> list[AuditEntry]:
        query = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(or_(audit.c.at < before.at, and_(audit.c.at == before.at, audit.c.id < before.id)))
        async with self._reporting.read() as connection:
            return [
                AuditEntry(row.id, row.at, row.user_id, row.via, row.action, row.subject, row.detail)
                for row in await connection.execute(query)
            ]
