"""The gate's rulings as workers tell them and pages read them, on SQLite and PostgreSQL."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from serving.adapters.database import Database
from serving.adapters.evidence_tables import gate_decisions
from serving.adapters.sql_decisions import SqlGateDecisions
from serving.adapters.sql_versions import SqlServedVersions
from serving.ports.versions import ServedVersion
from serving.rulings import GateDecision, decision_of
from tests.agent.build import pack
from tests.serving.build import evidence, served
from tests.serving.decided import weighed

DECISION = decision_of(weighed(pack()))


@pytest.fixture
def kept(database: Database) -> SqlGateDecisions:
    return SqlGateDecisions(database)


def told(*, champion: bool = True) -> ServedVersion:
    return replace(served(champion=champion), evidence=evidence(), decision=DECISION)


@pytest.mark.parametrize("champion", [True, False])
async def test_a_worker_tells_the_decision_of_what_it_serves(
    database: Database, kept: SqlGateDecisions, champion: bool
) -> None:
    for _ in range(2):
        await SqlServedVersions(database).put(told(champion=champion))
    assert await kept.of(["r1", "", "other"]) == {"r1": DECISION}


async def test_what_a_worker_of_the_release_before_told_is_completed(
    database: Database, kept: SqlGateDecisions
) -> None:
    versions = SqlServedVersions(database)
    await versions.put(replace(told(), decision=None))
    assert await kept.of(["r1"]) == {}
    await versions.put(told())
    assert await kept.of(["r1"]) == {"r1": DECISION}
    await versions.put(replace(told(), decision=None))
    assert await kept.of(["r1"]) == {"r1": DECISION}


async def test_the_row_that_each_article_reads_has_none_of_it(database: Database) -> None:
    versions = SqlServedVersions(database)
    await versions.put(told())
    assert await versions.champion() == replace(told(), decision=None)


async def test_a_forced_version_has_no_decision(database: Database) -> None:
    statement = evidence().statement.model_copy(update={"run": ""})
    forced = evidence().model_copy(update={"statement": statement})
    await SqlServedVersions(database).put(replace(told(), evidence=forced))
    async with database.read() as connection:
        assert (await connection.execute(select(gate_decisions))).all() == []


async def test_a_row_with_less_in_it_than_this_release_writes_is_read(
    database: Database, kept: SqlGateDecisions
) -> None:
    text = json.dumps({"outcome": "PROMOTE", "against": "1", "something": "of a later release"})
    async with database.write() as connection:
        await connection.execute(insert(gate_decisions).values(run="r", decision=text))
    assert await kept.of(["r"]) == {"r": GateDecision(outcome="PROMOTE", against="1")}
