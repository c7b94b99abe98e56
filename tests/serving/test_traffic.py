"""Which version articles are bound to, over the API."""

from collections import Counter
from datetime import timedelta

import httpx
import pytest

from serving.access.audit import Actor
from serving.adapters.sql_intake import SqlIntake
from serving.adapters.sql_rollouts import SqlRollouts
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.rollout import Rollout, RolloutPolicy
from serving.settings import ServingSettings
from serving.traffic import Traffic
from tests.agent.build import guideline, pack
from tests.serving.build import request, served, story
from tests.serving.conftest import api_client
from tests.serving.rollouts import rollout

CHECK = "/api/v1/compliance/check"
OTHER = pack(guideline(title="Other words"))
HALF = RolloutPolicy(shares=(0.5, 1.0))


@pytest.fixture
async def rolling(stores: Stores) -> Rollout:
    """Version 2 gets half of the documents."""
    versions, there = SqlServedVersions(stores.database), rollout(policy=HALF)
    await versions.put(served("1", at=utc_now()))
    await versions.put(served("2", champion=False, of=OTHER, at=utc_now()))
    await SqlRollouts(stores.database).start(there)
    return there


async def bound(client: httpx.AsyncClient, stores: Stores, text: str, **asked: object) -> str:
    answer = await client.post(CHECK, json={"article": {"text": text}, **asked})
    assert answer.status_code == 202, answer.text
    job = await stores.jobs.get(answer.json()["job_id"])
    assert job
    return job.version


async def test_a_document_stays_with_its_version_whatever_its_text(
    rolling: Rollout, settings: ServingSettings, stores: Stores
) -> None:
    async with api_client(settings) as client:
        seen = {
            (document, await bound(client, stores, f"{document}, version {edit}.", document_id=document))
            for document in map(str, range(12))
            for edit in range(3)
        }
    assert seen == {(document, "2" if rolling.takes(document) else "1") for document in map(str, range(12))}
    assert {version for _, version in seen} == {"1", "2"}


async def test_without_a_document_the_text_decides(rolling: Rollout, settings: ServingSettings, stores: Stores) -> None:
    async with api_client(settings) as client:
        versions = Counter([await bound(client, stores, f"Story {number}.") for number in range(20)])
        again = Counter([await bound(client, stores, f"Story {number}.", title="T") for number in range(20)])
    assert set(versions) == set(again) == {"1", "2"}


async def test_guidelines_that_only_the_champion_has_are_the_champions(
    rolling: Rollout, settings: ServingSettings, stores: Stores
) -> None:
    async with api_client(settings) as client:
        seen = {
            await bound(client, stores, "Story.", document_id=str(number), guidelines=["attribution"])
            for number in range(12)
        }
    assert seen == {"1"}


async def test_batches_are_the_champions(rolling: Rollout, settings: ServingSettings, stores: Stores) -> None:
    articles = [{"article": {"text": f"Story {number}."}} for number in range(8)]
    async with api_client(settings) as client:
        answer = await client.post("/api/v1/compliance/batches", json={"articles": articles})
        assert answer.status_code == 202, answer.text
    listed = await stores.batches.jobs(answer.json()["batch_id"], 0, 100)
    assert {one.job.version for one in listed} == {"1"}


async def test_an_aborted_rollout_gets_nothing_within_a_second(rolling: Rollout, stores: Stores) -> None:
    ticks = [0.0]
    versions, rollouts = SqlServedVersions(stores.database), SqlRollouts(stores.database)
    traffic = Traffic(SqlIntake(stores.database), rollouts, versions, clock=utc_now, ticks=lambda: ticks[0])
    document = next(str(number) for number in range(100) if rolling.takes(str(number)))

    async def version() -> str:
        return (await traffic.at_present()).version_of(story(), request(document_id=document)).stamp.number

    assert await version() == "2"
    assert await rollouts.change(rolling.aborted("why", utc_now()), by=Actor("bob", "command"), now=utc_now())
    ticks[0] = 1.0
    assert await version() == "1"


@pytest.mark.parametrize("champion", ["1", "3"])
async def test_a_challenger_that_no_worker_serves_or_beside_another_champion_gets_nothing(
    stores: Stores, champion: str
) -> None:
    versions, rollouts = SqlServedVersions(stores.database), SqlRollouts(stores.database)
    silent = utc_now() - timedelta(seconds=31) if champion == "1" else utc_now()
    await versions.put(served(champion, at=utc_now()))
    await versions.put(served("2", champion=False, of=OTHER, at=silent))
    await rollouts.start(rollout(policy=RolloutPolicy(shares=(1.0,))))
    traffic = Traffic(SqlIntake(stores.database), rollouts, versions, clock=utc_now, ticks=lambda: 0.0)
    assert (await traffic.at_present()).version_of(story(), request()).stamp.number == champion
