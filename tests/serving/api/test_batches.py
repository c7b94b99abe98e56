"""Batches over HTTP."""

from typing import Any

import httpx
import pytest

from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.job import JobStatus
from tests.serving.build import TEXT, claim, report, story

URL = "/api/v1/compliance/batches"


def manifest(*texts: str, **fields: Any) -> dict[str, Any]:
    articles = [{"article": {"text": text}, "document_id": f"d{number}"} for number, text in enumerate(texts, 1)]
    return {"name": "Monday", "language": "en", "articles": articles, **fields}


async def test_a_batch_from_its_manifest_to_its_summary(client: httpx.AsyncClient, stores: Stores) -> None:
    accepted = await client.post(URL, json=manifest(TEXT, "Nothing of note."))
    assert (accepted.status_code, accepted.json()["total"]) == (202, 2)
    batch = accepted.headers["Location"]
    assert accepted.json()["links"] == {"self": batch, "jobs": f"{batch}/jobs"}
    before = (await client.get(batch)).json()
    assert (before["done"], before["jobs"]["queued"], before["summary"]["mean_score"]) == (0, 2, None)
    for text in (story(), story("Nothing of note.")):
        running = await claim(stores, utc_now())
        await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, utc_now()), await report(text))
    after = (await client.get(batch)).json()
    assert (after["done"], after["jobs"]["completed"], bool(after["finished"])) == (2, 2, True)
    items = (await client.get(f"{batch}/jobs")).json()["jobs"]
    scores = [item["score"] for item in items]
    assert [(item["number"], item["document_id"], item["status"]) for item in items] == [
        (1, "d1", "completed"),
        (2, "d2", "completed"),
    ]
    summary = after["summary"]
    assert (summary["scored"], summary["lowest_score"]) == (2, min(scores))
    assert summary["mean_score"] == pytest.approx(sum(scores) / 2, abs=0.05)
    assert {count["guideline"] for count in summary["guidelines"]} == {"attribution", "plain-words"}
    assert (await client.get(items[0]["result"])).status_code == 200


async def test_articles_that_cannot_be_checked_are_all_named_and_none_is_accepted(
    client: httpx.AsyncClient, stores: Stores
) -> None:
    refused = await client.post(URL, json=manifest(TEXT, "", "  "))
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (422, "batch-refused")
    assert "2 of 3 articles can't be checked, so none was accepted: article 2 (d2): " in problem["detail"]
    assert "; article 3 (d3): " in problem["detail"]
    assert await stores.jobs.waiting() == 0


@pytest.mark.parametrize(
    ("changed", "status", "type"),
    [
        ({"articles": []}, 422, "invalid-request"),
        ({"guidelines": ["nowhere"]}, 422, "unknown-guideline"),
        ({"name": "x" * 201}, 422, "invalid-request"),
        ({"articles": [{"article": {"text": "Words."}}] * 1001}, 422, "invalid-request"),
        ({"priority": "interactive"}, 422, "invalid-request"),
    ],
)
async def test_a_manifest_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, changed: dict[str, Any], status: int, type: str
) -> None:
    response = await client.post(URL, json=manifest(TEXT) | changed)
    assert (response.status_code, response.json()["type"]) == (status, type)


async def test_a_repeated_key_is_the_same_batch(client: httpx.AsyncClient, stores: Stores) -> None:
    key = {"Idempotency-Key": "monday"}
    sent = [(await client.post(URL, json=manifest(TEXT), headers=key)).json()["batch_id"] for _ in range(2)]
    other = await client.post(URL, json=manifest("Other words."), headers=key)
    assert (len(set(sent)), await stores.jobs.waiting()) == (1, 1)
    assert (other.status_code, other.json()["type"]) == (409, "idempotency-conflict")


async def test_cancelling_ends_what_waits_and_keeps_what_is_done(client: httpx.AsyncClient, stores: Stores) -> None:
    batch = (await client.post(URL, json=manifest(*[f"{TEXT} {n}" for n in range(3)]))).headers["Location"]
    running = await claim(stores, utc_now())
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, utc_now()), await report())
    cancelled = (await client.delete(batch)).json()
    assert (cancelled["jobs"]["completed"], cancelled["jobs"]["cancelled"], bool(cancelled["finished"])) == (1, 2, True)
    assert (await client.delete(batch)).json() == cancelled


async def test_batches_and_their_articles_come_by_pages(client: httpx.AsyncClient) -> None:
    made = [(await client.post(URL, json=manifest(f"{TEXT} {n}", "Words."))).json()["batch_id"] for n in range(3)]
    first = (await client.get(URL, params={"limit": 2})).json()
    rest = (await client.get(URL, params={"limit": 2, "cursor": first["next"]})).json()
    assert [batch["batch_id"] for batch in first["batches"] + rest["batches"]] == made[::-1]
    jobs = (await client.get(f"{URL}/{made[0]}/jobs", params={"limit": 1})).json()
    assert [item["number"] for item in jobs["jobs"]] == [1]
    last = (await client.get(f"{URL}/{made[0]}/jobs", params={"limit": 1, "cursor": jobs["next"]})).json()
    assert ([item["number"] for item in last["jobs"]], last["next"]) == ([2], None)
    bad = await client.get(f"{URL}/{made[0]}/jobs", params={"cursor": "x"})
    assert (bad.status_code, bad.json()["type"]) == (400, "bad-request")


async def test_an_editor_may_say_that_a_check_can_wait(client: httpx.AsyncClient, stores: Stores) -> None:
    body = {"article": {"text": TEXT}}
    patient = (await client.post("/api/v1/compliance/check", json=body | {"priority": "batch"})).json()["job_id"]
    at_once = (await client.post("/api/v1/compliance/check", json=body)).json()["job_id"]
    assert [(await claim(stores, utc_now())).id for _ in range(2)] == [at_once, patient]
