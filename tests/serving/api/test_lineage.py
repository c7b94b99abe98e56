"""Where a finding comes from, and why it is new, as the API tells it from the database alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.guideline import GuidelinePack
from agent.rules import Existence
from serving.adapters.database import Database
from serving.adapters.sql_evidence import SqlEvidence
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.job import JobStatus
from serving.settings import ServingSettings
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.api.test_access import SIGN_IN, key_of
from tests.serving.api.test_feedback import article_of, dismissal
from tests.serving.build import NOW, TEXT, agent, claim, evidence, served
from tests.serving.conftest import api_client

PROMPT = "prompts:/test.attribution/3"


async def serve(database: Database, number: str, of: GuidelinePack) -> None:
    version = replace(served(number, of=of, at=utc_now()), evidence=evidence(int(number)))
    await SqlServedVersions(database).put(replace(version, prompts={"attribution": PROMPT}))


@pytest.fixture
async def api(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    await serve(database, "1", pack())
    async with api_client(settings) as client:
        yield client


async def checked(
    client: httpx.AsyncClient, stores: Stores, text: str = TEXT, *, by: str = "1", of: GuidelinePack | None = None
) -> dict[str, Any]:
    """The result of a check of document `d`, as a worker makes it."""
    body = {"article": {"text": text}, "document_id": "d"}
    sent = await client.post("/api/v1/compliance/check", json=body)
    assert sent.status_code == 202, sent.text
    running = await claim(stores, utc_now())
    assert running.version == by
    done = await agent(by, of=of or pack()).check(article_of(text))
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, utc_now()), done)
    answer: dict[str, Any] = (await client.get(f"/api/v1/jobs/{sent.json()['job_id']}/result")).json()
    return answer


def fingerprint(result: dict[str, Any], quote: str) -> str:
    return next(str(one["fingerprint"]) for one in result["report"]["findings"] if one["quote"] == quote)


async def test_a_result_says_what_stands_behind_each_guideline(api: httpx.AsyncClient, stores: Stores) -> None:
    result = await checked(api, stores)
    guidelines = result["lineage"].pop("guidelines")
    assert result["lineage"] == {"evidence": "first", "ungated": False, "record": "d" * 16}
    assert guidelines["attribution"] == {
        "digest": prompt_guideline().digest,
        "prompt": PROMPT,
        "precision": None,
        "recall": None,
    }
    assert (guidelines["plain-words"]["prompt"], guidelines["plain-words"]["recall"]) == (
        None,
        {"value": 0.9, "low": 0.8, "high": 0.95},
    )


async def test_the_chain_behind_a_finding(api: httpx.AsyncClient, stores: Stores) -> None:
    result = await checked(api, stores)
    job, finding = result["job_id"], fingerprint(result, "experts say")
    await api.post(f"/api/v1/jobs/{job}/feedback", json=dismissal(finding, "quotation"))
    why = (await api.get(f"/api/v1/jobs/{job}/findings/{finding}/why")).json()
    words = why["words"]
    assert words["passage"][words["at"] :].startswith(words["quote"])
    assert (words["quote"], words["paragraph"]) == ("experts say", 1)
    assert (why["rule"]["prompt"], why["rule"]["digest"]) == (PROMPT, prompt_guideline().digest)
    assert (why["judged"]["method"], why["judged"]["model"]) == ("pattern", None)
    assert (why["decided"]["outcome"], why["decided"]["run"], why["decided"]["who"]) == ("PROMOTE", "r1", "ada")
    assert (why["promoted"]["who"], why["promoted"]["ungated"], why["measured"]["precision"]) == ("bob", False, None)
    assert [(said["action"], said["reason"], said["who"]) for said in why["feedback"]] == [
        ("dismiss", "quotation", "local")
    ]
    assert why["gaps"] == ["the evaluation has no figures for attribution", "MLflow has no run of this job yet"]


async def test_a_chain_is_told_to_the_owner_of_the_job_only(
    settings: ServingSettings, database: Database, stores: Stores
) -> None:
    await serve(database, "1", pack())
    mine, other = [await key_of(database, "editor", user) for user in ("ada", "bob")]  # type: ignore[arg-type]
    async with api_client(settings, SIGN_IN) as client:
        client.headers.update(mine)
        result = await checked(client, stores)
        url = f"/api/v1/jobs/{result['job_id']}/findings/{fingerprint(result, 'utilise')}/why"
        assert (await client.get(url)).status_code == 200
        client.headers.update(other)
        refused = await client.get(url)
    assert (refused.status_code, refused.json()["type"]) == (404, "not-found")


async def test_a_finding_that_the_report_has_not_is_404(api: httpx.AsyncClient, stores: Stores) -> None:
    result = await checked(api, stores)
    refused = await api.get(f"/api/v1/jobs/{result['job_id']}/findings/nothing/why")
    assert (refused.status_code, refused.json()["type"]) == (404, "not-found")


async def test_another_version_says_why_its_findings_are_new(
    api: httpx.AsyncClient, stores: Stores, database: Database
) -> None:
    before = await checked(api, stores)
    assert before["changes"] == {}
    rule = guideline("jargon", rules=(Existence(message="'%s' is jargon", tokens=("course",)),))
    changed = guideline(rules=(Existence(message="'%s' is heavy", tokens=("utilise", "experts")),))
    newer = pack(changed, prompt_guideline(), rule)
    await serve(database, "2", newer)
    text = f"{TEXT}\n\nStill experts say that."
    result = await checked(api, stores, text, by="2", of=newer)
    told = [(one["quote"], result["changes"].get(one["fingerprint"])) for one in result["report"]["findings"]]
    assert told == [
        ("utilise", None),
        ("experts", "changed rule"),
        ("course", "new rule"),
        ("experts", "changed rule"),
        ("experts say", None),
        ("experts", "changed text"),
        ("experts say", "changed text"),
    ]


async def test_a_check_by_the_same_version_has_no_notes(api: httpx.AsyncClient, stores: Stores) -> None:
    await checked(api, stores)
    assert (await checked(api, stores, f"{TEXT}\n\nStill experts say that."))["changes"] == {}


async def test_versions_tell_that_evidence_has_expired(api: httpx.AsyncClient, database: Database) -> None:
    await SqlEvidence(database).expire("1", "m-2 answered", NOW + timedelta(days=1), record=evidence().record)
    (version,) = (await api.get("/api/v1/versions")).json()
    assert version["evidence"]["expired"] == {"since": "2026-11-24T12:00:00Z", "reason": "m-2 answered"}
