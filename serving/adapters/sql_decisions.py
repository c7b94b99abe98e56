"""The gate's decisions behind served versions, in the database."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.adapters.database import Database
from serving.adapters.evidence_tables import gate_decisions
from serving.adapters.upsert import upsert
from serving.rulings import GateDecision


class SqlGateDecisions:
    """One row a decision, which never changes: its SHA-256 is signed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, runs: Iterable[str]) -> dict[str, GateDecision]:
        asked = sorted({run for run in runs if run})
        if not asked:
            return {}
        query = select(gate_decisions).where(gate_decisions.c.run.in_(asked))
        rows = await self._database.fetch(query)
        return {row["run"]: GateDecision.model_validate_json(row["decision"]) for row in rows}


async def put_decision(connection: AsyncConnection, run: str, decision: GateDecision) -> None:
    """Writes it where it is new: workers say this every few seconds."""
    if await connection.scalar(select(gate_decisions.c.run).where(gate_decisions.c.run == run)) is None:
        put = upsert(connection, gate_decisions).values(run=run, decision=decision.model_dump_json())
        await connection.execute(put.on_conflict_do_nothing())
