"""What stands behind a version, and whether it still does, in the database."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update

from agent.check import AnsweredBy
from serving.adapters.database import Database
from serving.adapters.evidence_tables import evidence
from serving.adapters.sql_versions import evidence_of
from serving.evidence import ANSWERED, Evidence, Expiry


class SqlEvidence:
    """One row a version: what it served by last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, number: str) -> Evidence | None:
        found = await self._database.fetch(select(evidence).where(evidence.c.number == number))
        return evidence_of(found[0]) if found else None

    async def expired(self) -> dict[str, Expiry]:
        """By version, where it doesn't hold any more."""
        query = select(evidence.c.number, evidence.c.expired_at, evidence.c.expired_reason)
        rows = await self._database.fetch(query.where(evidence.c.expired_at.is_not(None)))
        return {row["number"]: Expiry(since=row["expired_at"], reason=row["expired_reason"]) for row in rows}

    async def expire(self, number: str, reason: str, now: datetime, *, record: str) -> bool:
        """Whether it held until now; not where it stands by another record meanwhile, which is newer."""
        same = (evidence.c.number == number) & (evidence.c.record == record)
        holds = same & evidence.c.expired_at.is_(None)
        expired = update(evidence).where(holds).values(expired_at=now, expired_reason=reason)
        async with self._database.write() as connection:
            return bool((await connection.execute(expired)).rowcount)

    async def note(self, number: str, answered: Iterable[AnsweredBy]) -> bool:
        query = select(evidence.c.noted).where(evidence.c.number == number).with_for_update()
        async with self._database.write() as connection:
            text = await connection.scalar(query)
            if text is None:
                return False
            before = ANSWERED.validate_json(text)
            after = tuple(dict.fromkeys((*before, *answered)))
            if after == before:
                return False
            noted = update(evidence).where(evidence.c.number == number)
            await connection.execute(noted.values(noted=ANSWERED.dump_json(after).decode()))
        return True
