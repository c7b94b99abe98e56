from dataclasses import replace
from datetime import timedelta

import pytest

from agent.check import AnsweredBy
from serving.adapters.database import Database
from serving.adapters.sql_evidence import SqlEvidence
from serving.adapters.sql_versions import SqlServedVersions
from serving.evidence import Evidence, Expiry
from tests.serving.build import NOW, evidence, served

LATER = NOW + timedelta(hours=1)
RECORD = evidence().record
OTHER = AnsweredBy(model="m-2", fingerprint="fp")


@pytest.fixture
def kept(database: Database) -> SqlEvidence:
    return SqlEvidence(database)


async def put(database: Database, found: Evidence) -> None:
    await SqlServedVersions(database).put(replace(served(), evidence=found))


async def test_evidence_expires_once_and_says_since_when(database: Database, kept: SqlEvidence) -> None:
    await put(database, evidence())
    assert [
        await kept.expire("1", "m-2 answered", NOW, record=RECORD),
        await kept.expire("1", "again", LATER, record=RECORD),
    ] == [True, False]
    assert not await kept.expire("2", "nobody knows it", NOW, record=RECORD)
    expiry = Expiry(since=NOW, reason="m-2 answered")
    assert await kept.of("1") == evidence().model_copy(update={"expired": expiry})
    assert await kept.expired() == {"1": expiry}


async def test_evidence_that_is_newer_than_what_was_looked_at_holds(database: Database, kept: SqlEvidence) -> None:
    await put(database, evidence())
    assert not await kept.expire("1", "m-2 answered", NOW, record="the one before")
    assert await kept.expired() == {}


async def test_what_else_answered_is_noted_once(database: Database, kept: SqlEvidence) -> None:
    await put(database, evidence())
    assert [await kept.note("1", (OTHER,)), await kept.note("1", (OTHER,))] == [True, False]
    assert not await kept.note("2", (OTHER,))
    assert (await SqlServedVersions(database).all())[0].evidence == evidence().model_copy(update={"noted": (OTHER,)})


async def test_a_worker_that_says_it_again_leaves_it_expired(database: Database, kept: SqlEvidence) -> None:
    await put(database, evidence())
    await kept.expire("1", "m-2 answered", NOW, record=RECORD)
    await put(database, evidence())
    back = evidence(at=LATER)  # promoted again by the same decision
    await put(database, back)
    assert set(await kept.expired()) == {"1"}


@pytest.fixture
def tried() -> Evidence:
    """Of a challenger in a rollout."""
    return evidence().model_copy(update={"promotion": None})


async def serve_a_share(database: Database, found: Evidence) -> None:
    await SqlServedVersions(database).put(replace(served(champion=False), evidence=found))


async def test_what_serves_a_share_has_evidence_without_a_promotion_until_it_is_promoted(
    database: Database, kept: SqlEvidence, tried: Evidence
) -> None:
    await serve_a_share(database, tried)
    assert await kept.of("1") == tried
    await kept.note("1", (OTHER,))
    await put(database, evidence())
    assert await kept.of("1") == evidence().model_copy(update={"noted": (OTHER,)})


async def test_a_share_by_the_record_of_an_earlier_promotion_leaves_that_in_place(
    database: Database, kept: SqlEvidence, tried: Evidence
) -> None:
    versions = SqlServedVersions(database)
    await put(database, evidence())
    await versions.put(served("2"))
    await serve_a_share(database, tried)
    assert await kept.of("1") == evidence()
    anew = tried.model_copy(update={"record": "e" * 16})
    await serve_a_share(database, anew)
    assert await kept.of("1") == anew


async def test_a_worker_that_is_behind_takes_no_promotion_from_the_champion(
    database: Database, kept: SqlEvidence, tried: Evidence
) -> None:
    await put(database, evidence())
    await serve_a_share(database, tried.model_copy(update={"record": "e" * 16}))
    assert await kept.of("1") == evidence()


async def test_a_new_decision_makes_it_hold_again(database: Database, kept: SqlEvidence) -> None:
    await put(database, evidence())
    await kept.expire("1", "m-2 answered", NOW, record=RECORD)
    await kept.note("1", (OTHER,))
    found = evidence(at=LATER)
    anew = found.model_copy(
        update={"statement": found.statement.model_copy(update={"run": "r2"}), "answered_by": (OTHER,)}
    )
    await put(database, anew)
    assert await kept.of("1") == anew
