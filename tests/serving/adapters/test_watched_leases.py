"""What answers a finished job is held against what answered when its version was evaluated, on both databases."""

import logging
from dataclasses import replace

import pytest

from agent.check import AnsweredBy
from agent.report import ComplianceReport
from serving.adapters.database import Database
from serving.adapters.sql_evidence import SqlEvidence
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.adapters.watched_leases import WatchedLeases
from serving.job import JobStatus
from serving.model_change import ExpiresOn
from tests.serving.build import NOW, claim, evidence, judged_report, served, submission

M1, M2 = AnsweredBy(model="m-1", fingerprint="fp"), AnsweredBy(model="m-2")


async def answered(*by: AnsweredBy) -> ComplianceReport:
    made = await judged_report()
    return made.model_copy(update={"usage": made.usage.model_copy(update={"answered_by": by})})


@pytest.fixture
async def kept(database: Database) -> SqlEvidence:
    """Of a version that M1 answered for."""
    found = evidence().model_copy(update={"answered_by": (M1,)})
    await SqlServedVersions(database).put(replace(served(), evidence=found))
    return SqlEvidence(database)


async def finish(stores: Stores, leases: WatchedLeases, id: str, report: ComplianceReport) -> None:
    await stores.jobs.add(submission(id))
    job = await claim(stores)
    assert await leases.finish(job.ended_as(JobStatus.COMPLETED, NOW), report)


def watched(stores: Stores, kept: SqlEvidence, on: ExpiresOn = ExpiresOn.MODEL) -> WatchedLeases:
    return WatchedLeases(stores.leases, kept, on, lambda: NOW)


async def test_another_model_ends_the_evidence_and_is_logged_once(
    stores: Stores, kept: SqlEvidence, caplog: pytest.LogCaptureFixture
) -> None:
    leases = watched(stores, kept)
    for id in "ab":
        await finish(stores, leases, id, await answered(M1, M2))
    found = await kept.of("1")
    assert found
    assert found.expired
    assert (found.expired.since, found.noted) == (NOW, (M2,))
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "the evidence of version 1 has expired: m-2 answered, evaluated was m-1 (fp)"
    ]


@pytest.mark.parametrize(("on", "expired"), [(ExpiresOn.MODEL, False), (ExpiresOn.FINGERPRINT, True)])
async def test_another_fingerprint_is_noted_and_a_setting_says_what_it_ends(
    stores: Stores, kept: SqlEvidence, on: ExpiresOn, expired: bool
) -> None:
    other = AnsweredBy(model="m-1", fingerprint="fp2")
    await finish(stores, watched(stores, kept, on), "a", await answered(other))
    found = await kept.of("1")
    assert found
    assert (bool(found.expired), found.noted) == (expired, (other,))


async def test_the_same_model_changes_nothing(stores: Stores, kept: SqlEvidence) -> None:
    before = await kept.of("1")
    await finish(stores, watched(stores, kept), "a", await answered(M1))
    assert await kept.of("1") == before


async def test_a_change_is_seen_once_a_worker_tells_of_the_evidence(stores: Stores, database: Database) -> None:
    kept = SqlEvidence(database)
    leases = watched(stores, kept)
    await finish(stores, leases, "a", await answered(M2))
    await SqlServedVersions(database).put(
        replace(served(), evidence=evidence().model_copy(update={"answered_by": (M1,)}))
    )
    await finish(stores, leases, "b", await answered(M2))
    found = await kept.of("1")
    assert found
    assert (bool(found.expired), found.noted) == (True, (M2,))


async def test_without_an_evaluation_there_is_nothing_to_hold_it_against(stores: Stores, database: Database) -> None:
    await SqlServedVersions(database).put(replace(served(), evidence=evidence()))
    kept = SqlEvidence(database)
    await finish(stores, watched(stores, kept), "a", await answered(M2))
    assert await kept.of("1") == evidence()
