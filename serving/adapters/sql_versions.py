"""The versions that workers serve, in the database."""

import json
from datetime import datetime
from functools import lru_cache

from sqlalchemy import and_, delete, insert, select, text, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.guideline import GuidelinePack
from agent.report import VersionStamp
from agent.spec import ModelSpec
from registry.statement import Promotion, Statement
from serving.adapters.database import Database
from serving.adapters.evidence_tables import evidence
from serving.adapters.sql_decisions import put_decision
from serving.adapters.tables import served_versions
from serving.adapters.upsert import upsert
from serving.evidence import ANSWERED, FIGURES, Evidence, Expiry
from serving.ports.versions import ServedVersion

NOT_PROMOTED = ""  # as a promotion
_LOCK = 4_207_515_131  # of who says which version is champion, among a server's advisory locks

_JOINED = select(served_versions, evidence).join_from(
    served_versions, evidence, served_versions.c.number == evidence.c.number, isouter=True
)


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
            "prompts": json.dumps(dict(version.prompts), sort_keys=True),
            "model": version.model.model_dump_json() if version.model else "",
        }
        async with self._database.write() as connection:
            if version.decision and version.evidence and version.evidence.statement.run:
                await put_decision(connection, version.evidence.statement.run, version.decision)
            if not version.champion:
                insertion = upsert(connection, served_versions).values(row)
                still = served_versions.c.champion.is_(False)
                put = insertion.on_conflict_do_update(index_elements=["number"], set_=row, where=still)
                written = await connection.scalar(put.returning(served_versions.c.number))
                if written is not None and version.evidence:
                    await _put_evidence(connection, number, version.evidence, version.served)
                return
            if self._database.is_postgres:  # of two that say at the same moment who is champion, the later one is right
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if version.evidence:
                await _put_evidence(connection, number, version.evidence, version.served)
            await connection.execute(update(served_versions).values(champion=False))
            of = served_versions.c
            same = and_(of.number == number, of.stamp == row["stamp"], of.prompts == row["prompts"])
            again = update(served_versions).where(same).values(champion=True, served_at=version.served)
            if (await connection.execute(again)).rowcount:
                return  # the stamp holds the pack's digest; workers say this every few seconds
            await connection.execute(delete(served_versions).where(served_versions.c.number == number))
            await connection.execute(insert(served_versions), row)

    async def heard(self, number: str, now: datetime) -> None:
        said = update(served_versions).where(served_versions.c.number == number).values(served_at=now)
        async with self._database.write() as connection:
            await connection.execute(said)

    async def champion(self) -> ServedVersion | None:
        newest = _JOINED.where(served_versions.c.champion).order_by(served_versions.c.served_at.desc()).limit(1)
        found = await self._database.fetch(newest)
        return _version(found[0]) if found else None

    async def get(self, number: str) -> ServedVersion | None:
        found = await self._database.fetch(_JOINED.where(served_versions.c.number == number))
        return _version(found[0]) if found else None

    async def challenger(self, number: str) -> ServedVersion | None:
        version = await self.get(number)
        return version if version and not version.champion else None

    async def all(self) -> list[ServedVersion]:
        query = _JOINED.order_by(served_versions.c.served_at.desc())
        return [_version(row) for row in await self._database.fetch(query)]


async def _put_evidence(connection: AsyncConnection, number: str, found: Evidence, now: datetime) -> None:
    """Writes it where it is new: workers say this every few seconds."""
    promoted = found.promotion.model_dump_json() if found.promotion else NOT_PROMOTED
    query = select(evidence.c.record, evidence.c.promotion, evidence.c.statement, evidence.c.answered_by)
    known = (await connection.execute(query.where(evidence.c.number == number))).first()
    answered_by = ANSWERED.dump_json(found.answered_by).decode()
    if known and not found.promotion and known.record == found.record:
        return  # it was champion by the same record before
    if known and (known.promotion, known.answered_by) == (promoted, answered_by):
        return
    row = {
        "record": found.record,
        "signer": found.signer,
        "statement": found.statement.model_dump_json(),
        "promotion": promoted,
        "approvers": json.dumps(found.approvers),
        "figures": FIGURES.dump_json(found.figures).decode(),
        "taken_at": now,
        "evaluation": found.evaluation,
        "answered_by": answered_by,
    }
    decided_anew = known is None or Statement.model_validate_json(known.statement).run != found.statement.run
    if decided_anew or not found.statement.run:  # to go back to a version doesn't make its evidence hold again
        row |= {"noted": "[]", "expired_at": None, "expired_reason": ""}
    put = upsert(connection, evidence).values(number=number, **row)
    await connection.execute(put.on_conflict_do_update(index_elements=["number"], set_=row))


def _version(found: RowMapping) -> ServedVersion:
    return ServedVersion(
        stamp=VersionStamp.model_validate_json(found[served_versions.c.stamp]),
        pack=_pack(found[served_versions.c.pack]),
        champion=found[served_versions.c.champion],
        served=found[served_versions.c.served_at],
        evidence=evidence_of(found) if found[evidence.c.record] else None,
        prompts=json.loads(found[served_versions.c.prompts]),
        model=ModelSpec.model_validate_json(found[served_versions.c.model]) if found[served_versions.c.model] else None,
    )


@lru_cache(maxsize=4)  # versions: pages and shadows ask for them often, and reading a pack takes milliseconds
def _pack(text: str) -> GuidelinePack:
    return GuidelinePack.model_validate_json(text)


def evidence_of(found: RowMapping) -> Evidence:
    since, promoted = found[evidence.c.expired_at], found[evidence.c.promotion]
    return Evidence(
        record=found[evidence.c.record],
        signer=found[evidence.c.signer],
        statement=Statement.model_validate_json(found[evidence.c.statement]),
        promotion=Promotion.model_validate_json(promoted) if promoted != NOT_PROMOTED else None,
        approvers=tuple(json.loads(found[evidence.c.approvers])),
        figures=FIGURES.validate_json(found[evidence.c.figures]),
        evaluation=found[evidence.c.evaluation],
        answered_by=ANSWERED.validate_json(found[evidence.c.answered_by]),
        expired=Expiry(since=since, reason=found[evidence.c.expired_reason]) if since else None,
        noted=ANSWERED.validate_json(found[evidence.c.noted]),
    )
