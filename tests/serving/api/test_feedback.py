"""Decisions over HTTP: the score, the result and the next check follow at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from agent.article import Article
from serving.access.caller import Role
from serving.adapters.database import Database
from serving.adapters.postgres import libpq_url
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores, open_worker_stores
from serving.app import utc_now
from serving.feedback import Dismissals
from serving.job import JobStatus
from serving.settings import ServingSettings
from tests.postgres_server import new_database
from tests.serving.api.test_access import SIGN_IN, key_of
from tests.serving.build import TEXT, claim, report, served, story
from tests.serving.conftest import api_client

Check = Callable[..., Awaitable[str]]
CLAIM = "experts say"


@pytest.fixture
def check(client: httpx.AsyncClient, stores: Stores) -> Check:
    """Has an article checked the way a worker does; returns the URL of its job."""
    return lambda **fields: checked(client, stores, **fields)


async def checked(
    client: httpx.AsyncClient, stores: Stores, headers: dict[str, str] | None = None, **fields: Any
) -> str:
    text = fields.pop("text", TEXT)
    body = {"article": {"text": text}, **fields}
    sent = await client.post("/api/v1/compliance/check", json=body, headers=headers)
    assert sent.status_code == 202, sent.text
    if not sent.json()["duplicate"]:
        running = await claim(stores, utc_now())
        done = await report(article_of(text))
        await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, utc_now()), done)
    return f"/api/v1/jobs/{sent.json()['job_id']}"


def article_of(text: str) -> Article:
    return story(*text.split("\n\n"))


async def findings(client: httpx.AsyncClient, job: str, **how: Any) -> dict[str, str]:
    """Fingerprints by their quotes."""
    found = (await client.get(f"{job}/result", **how)).json()["report"]["findings"]
    return {finding["quote"]: finding["fingerprint"] for finding in found}


def dismissal(finding: str, reason: str = "false-alarm", **fields: Any) -> dict[str, Any]:
    return {"finding": finding, "action": "dismiss", "reason": reason, **fields}


async def test_a_dismissal_changes_score_result_and_etag_at_once(client: httpx.AsyncClient, check: Check) -> None:
    job = await check()
    finding = (await findings(client, job))[CLAIM]
    before = await client.get(f"{job}/result")
    answer = (await client.post(f"{job}/feedback", json=dismissal(finding, comment="No claim."))).json()
    after = await client.get(f"{job}/result", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    report = after.json()["report"]
    assert answer["score"] == report["score"]
    assert report["score"]["value"] > before.json()["report"]["score"]["value"]
    assert (answer["etag"], answer["findings"], answer["band"]) == (after.headers["ETag"], 1, report["band"])
    assert report["findings"] == before.json()["report"]["findings"]
    assert [part["guideline"] for part in report["score"]["contributions"]] == ["plain-words"]
    again = await client.get(f"{job}/result", headers={"If-None-Match": answer["etag"]})
    assert again.status_code == 304
    (decided,) = after.json()["feedback"]
    assert (decided.pop("at")[:2], answer["feedback"][0].pop("at")[:2]) == ("20", "20")
    assert (
        decided
        == answer["feedback"][0]
        == {
            "finding": finding,
            "guideline": "attribution",
            "state": "dismissed",
            "counts": False,
            "reason": "false-alarm",
            "comment": "No claim.",
            "by": "local",
            "job_id": job.rpartition("/")[2],
            "approval": None,
        }
    )


async def test_to_undo_brings_back_what_was(client: httpx.AsyncClient, check: Check) -> None:
    job = await check()
    finding = (await findings(client, job))[CLAIM]
    before = await client.get(f"{job}/result")
    await client.post(f"{job}/feedback", json=dismissal(finding))
    for _ in range(2):
        undone = (await client.delete(f"{job}/feedback/{finding}")).json()
        assert (undone["feedback"], undone["etag"]) == ([], before.headers["ETag"])
    assert (await client.get(f"{job}/result")).content == before.content


async def test_accepting_is_kept_and_counts(client: httpx.AsyncClient, check: Check) -> None:
    job = await check()
    finding = (await findings(client, job))[CLAIM]
    score = (await client.get(f"{job}/result")).json()["report"]["score"]
    sent = [{"finding": finding, "action": "accept"}] * 2
    answers = [(await client.post(f"{job}/feedback", json=each)).json() for each in sent]
    assert answers[0] == answers[1] == (await client.get(f"{job}/feedback")).json()
    assert (answers[0]["score"], answers[0]["feedback"][0]["state"]) == (score, "accepted")


async def test_the_same_dismissal_twenty_times_at_once_is_answered_alike(
    client: httpx.AsyncClient, check: Check
) -> None:
    job = await check()
    finding = (await findings(client, job))[CLAIM]
    sent = [client.post(f"{job}/feedback", json=dismissal(finding)) for _ in range(20)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


async def test_dismissals_come_back_on_the_next_check_of_the_document(client: httpx.AsyncClient, check: Check) -> None:
    first = await check(document_id="d")
    await client.post(f"{first}/feedback", json=dismissal((await findings(client, first))[CLAIM]))
    second = await check(document_id="d", text=f"{TEXT}\n\nA new paragraph, to utilise.")
    assert second != first
    result = (await client.get(f"{second}/result")).json()
    assert [(each["state"], each["guideline"]) for each in result["feedback"]] == [("dismissed", "attribution")]
    assert result["report"]["score"]["contributions"][0]["findings"] == 2
    elsewhere = await check(document_id="e")
    assert (await client.get(f"{elsewhere}/result")).json()["feedback"] == []


async def test_earlier_checks_of_the_document_change_too(client: httpx.AsyncClient, check: Check) -> None:
    jobs = [await check(document_id="d"), await check(document_id="d", text=f"{TEXT}\n\nMore.")]
    before = [await client.get(f"{job}/result") for job in jobs]
    await client.post(f"{jobs[1]}/feedback", json=dismissal((await findings(client, jobs[1]))[CLAIM]))
    for job, old in zip(jobs, before, strict=True):
        new = await client.get(f"{job}/result", headers={"If-None-Match": old.headers["ETag"]})
        assert (new.status_code, new.json()["feedback"][0]["state"]) == (200, "dismissed")


async def test_many_are_decided_at_once_or_none(client: httpx.AsyncClient, check: Check) -> None:
    job = await check()
    known = list((await findings(client, job)).values())
    unknown = await client.post(f"{job}/feedback", json=[dismissal(known[0]), dismissal("f" * 16)])
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")
    assert "has no finding 'ffffffffffffffff'" in unknown.json()["detail"]
    assert (await client.get(f"{job}/feedback")).json()["feedback"] == []
    answer = (await client.post(f"{job}/feedback", json=[dismissal(finding) for finding in known])).json()
    assert (answer["score"]["value"], answer["band"], answer["findings"]) == (100.0, "green", 0)


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ({"finding": "f", "action": "dismiss"}, "a dismissal needs a reason, one of false-alarm, not-in-this-context"),
        ([{"finding": "f", "action": "dismiss"}], "decisions.0: "),
        ({"finding": "f", "action": "accept", "reason": "other"}, "reason and comment go with dismiss only"),
        ({"finding": "f", "action": "undo", "comment": "c"}, "reason and comment go with dismiss only"),
        ({"finding": "f", "action": "forget"}, "decision.action: "),
        ({"finding": "f", "action": "dismiss", "reason": "boring"}, "decision.reason: "),
        ({"finding": "f", "action": "dismiss", "reason": "other", "comment": "x" * 1001}, "decision.comment: "),
        ([], "at least 1 item"),
        ([{"finding": "f", "action": "accept"}] * 501, "at most 500 items"),
        ("f", "decision: "),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, sent: object, detail: str) -> None:
    response = await client.post("/api/v1/jobs/any/feedback", json=sent)
    assert (response.status_code, response.json()["type"]) == (422, "invalid-request")
    assert detail in response.json()["detail"]


async def test_a_job_without_a_report_has_nothing_to_decide(client: httpx.AsyncClient) -> None:
    sent = await client.post("/api/v1/compliance/check", json={"article": {"text": TEXT}})
    url = f"/api/v1/jobs/{sent.json()['job_id']}/feedback"
    for response in (
        await client.post(url, json=dismissal("f")),
        await client.get(url),
        await client.delete(f"{url}/f"),
    ):
        assert (response.status_code, response.json()["type"]) == (409, "no-result")
        assert "is queued, so it has no findings" in response.json()["detail"]


@pytest.fixture
async def signed_in(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API of a house where dismissals need an approval, without a credential."""
    await SqlServedVersions(database).put(served(at=utc_now()))
    strict = settings.model_copy(update={"dismissals": Dismissals.APPROVAL})
    async with api_client(strict, SIGN_IN) as client:
        yield client


async def test_somebody_else_s_job_is_not_found(
    signed_in: httpx.AsyncClient, stores: Stores, database: Database
) -> None:
    ada, eve = await key_of(database, Role.EDITOR, "ada"), await key_of(database, Role.ADMIN, "eve")
    job = await checked(signed_in, stores, ada)
    finding = (await findings(signed_in, job, headers=ada))[CLAIM]
    for response in (
        await signed_in.post(f"{job}/feedback", json=dismissal(finding), headers=eve),
        await signed_in.get(f"{job}/feedback", headers=eve),
        await signed_in.delete(f"{job}/feedback/{finding}", headers=eve),
    ):
        assert (response.status_code, response.json()["type"]) == (404, "not-found")
        assert job.rpartition("/")[2] in response.json()["detail"]


async def test_a_guideline_owner_approves_and_declines(
    signed_in: httpx.AsyncClient, stores: Stores, database: Database
) -> None:
    ada, owner = await key_of(database, Role.EDITOR, "ada"), await key_of(database, Role.GUIDELINE_OWNER)
    job = await checked(signed_in, stores, ada, document_id="d")
    known = await findings(signed_in, job, headers=ada)
    sent = [dismissal(known[CLAIM], "quotation"), dismissal(known["utilise"], "house-exception")]
    waiting = (await signed_in.post(f"{job}/feedback", json=sent, headers=ada)).json()
    assert ([each["state"] for each in waiting["feedback"]], waiting["findings"]) == (["dismissed-pending"] * 2, 2)
    listed = (await signed_in.get("/api/v1/dismissals", params={"limit": 1}, headers=owner)).json()
    (first,) = listed["dismissals"]
    assert (first["document"], first["quote"], first["passage"]) == ("d", CLAIM, "Of course experts say so.")
    assert (first["decided"]["by"], first["decided"]["reason"]) == ("ada", "quotation")
    rest = await signed_in.get("/api/v1/dismissals", params={"cursor": listed["next"]}, headers=owner)
    (second,) = rest.json()["dismissals"]
    approved = await signed_in.post(f"/api/v1/dismissals/{first['id']}/approve", headers=owner)
    comment = {"comment": "Write it out."}
    declined = await signed_in.post(f"/api/v1/dismissals/{second['id']}/decline", json=comment, headers=owner)
    assert (approved.json()["state"], declined.json()["state"]) == ("dismissed", "dismissed-declined")
    result = (await signed_in.get(f"{job}/result", headers=ada)).json()
    by_quote = {each["finding"]: (each["counts"], each["approval"]["comment"]) for each in result["feedback"]}
    assert by_quote == {known[CLAIM]: (False, ""), known["utilise"]: (True, "Write it out.")}
    assert [part["guideline"] for part in result["report"]["score"]["contributions"]] == ["plain-words"]
    assert (await signed_in.get("/api/v1/dismissals", headers=owner)).json() == {"dismissals": [], "next": None}


async def test_the_same_judgement_again_is_noted_once(
    signed_in: httpx.AsyncClient, stores: Stores, database: Database
) -> None:
    ada, admin = await key_of(database, Role.EDITOR, "ada"), await key_of(database, Role.ADMIN)
    job = await checked(signed_in, stores, ada, document_id="d")
    known = await findings(signed_in, job, headers=ada)
    await signed_in.post(f"{job}/feedback", json=dismissal(known[CLAIM], "quotation"), headers=ada)
    (waiting,) = (await signed_in.get("/api/v1/dismissals", headers=admin)).json()["dismissals"]
    for _ in range(2):
        answer = await signed_in.post(f"/api/v1/dismissals/{waiting['id']}/approve", headers=admin)
        assert answer.status_code == 200
    noted = (await signed_in.get("/api/v1/admin/audit", headers=admin)).json()["entries"]
    assert [entry["action"] for entry in noted if entry["action"] != "key.create"] == ["dismissal.approve"]


async def test_only_a_dismissal_that_waits_is_judged(client: httpx.AsyncClient, check: Check) -> None:
    job = await check()
    await client.post(f"{job}/feedback", json=dismissal((await findings(client, job))[CLAIM]))
    for id in ("1", "2", "99"):
        response = await client.post(f"/api/v1/dismissals/{id}/approve")
        assert (response.status_code, response.json()["type"]) == (404, "not-found")
        assert f"no dismissal {id}" in response.json()["detail"]


async def test_figures_of_a_version_s_guidelines(client: httpx.AsyncClient, check: Check) -> None:
    job = await check()
    known = await findings(client, job)
    await client.post(f"{job}/feedback", json=dismissal(known[CLAIM], "not-in-this-context"))
    await client.post(f"{job}/feedback", json={"finding": known["utilise"], "action": "accept"})
    found = (await client.get("/api/v1/guidelines/figures", params={"days": 1, "version": "1"})).json()
    attribution, plain_words = found["figures"]
    assert (attribution["raised"], attribution["accepted"], attribution["undecided"]) == (1, 0, 0)
    assert attribution["dismissed"] == {
        "false-alarm": 0,
        "not-in-this-context": 1,
        "quotation": 0,
        "style-choice": 0,
        "house-exception": 0,
        "other": 0,
    }
    assert attribution["precision"] == {"value": 0.0, "low": 0.0, "high": 0.7935, "findings": 1}
    assert plain_words["precision"] == {"value": 1.0, "low": 0.2065, "high": 1.0, "findings": 1}
    assert (await client.get("/api/v1/guidelines/figures", params={"version": "2"})).json()["figures"] == []


@pytest.mark.parametrize("shared", [False, True], ids=["caches of their own", "one in Redis"])
async def test_a_decision_reaches_what_another_process_keeps(
    settings: ServingSettings, client: httpx.AsyncClient, check: Check, redis_url: str, shared: bool
) -> None:
    job = await check()
    finding = (await findings(client, job))[CLAIM]
    update = {"redis_connection_string": redis_url} if shared else {}
    both = settings.model_copy(update=update)
    async with api_client(both) as one, api_client(both) as other:
        kept = [await each.get(f"{job}/result") for each in (one, other)]
        answer = (await one.post(f"{job}/feedback", json=dismissal(finding))).json()
        now = [await each.get(f"{job}/result") for each in (one, other)]
        assert len({each.headers["ETag"] for each in kept}) == 1 != len({kept[0].headers["ETag"], answer["etag"]})
        assert {each.headers["ETag"] for each in now} == {answer["etag"]}


async def test_what_is_kept_is_better_than_nothing_while_the_database_is_away(
    postgres: str, migrated: str, tmp_path: Path
) -> None:
    url = new_database(postgres, like=migrated)
    settings = ServingSettings(home=tmp_path, db_connection_string=url)
    async with open_worker_stores(settings, utc_now) as stores:
        await SqlServedVersions(stores.database).put(served(at=utc_now()))
        async with api_client(settings) as client:
            job = await checked(client, stores)
            before = await client.get(f"{job}/result")
            with psycopg.connect(libpq_url(postgres), autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')
            assert (await client.get(f"{job}/result")).content == before.content
            assert (await client.get(f"{job}/feedback")).json()["type"] == "database-unavailable"
