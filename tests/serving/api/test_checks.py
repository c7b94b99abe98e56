import json
import shutil
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from agent.article import Article
from serving.adapters.stores import Stores
from serving.api.submission import article_of
from serving.settings import ServingSettings
from tests.serving.build import TEXT
from tests.serving.conftest import api_client

CHECK = "/api/v1/compliance/check"
ARTICLE = {"article": {"text": TEXT}}


async def test_an_article_is_accepted_with_links(client: httpx.AsyncClient) -> None:
    response = await client.post(CHECK, json=ARTICLE)
    id = response.json()["job_id"]
    assert response.status_code == 202
    assert response.json() == {
        "job_id": id,
        "status": "queued",
        "duplicate": False,
        "links": {
            "status": f"/api/v1/jobs/{id}/status",
            "result": f"/api/v1/jobs/{id}/result",
            "events": f"/api/v1/jobs/{id}/events",
        },
    }
    assert (response.headers["Location"], response.headers["Retry-After"]) == (f"/api/v1/jobs/{id}/status", "1")


@pytest.mark.parametrize(
    "form",
    [{"text": TEXT}, {"paragraphs": TEXT.split("\n\n")}, {"html": "<p>We utilise.</p>"}, {"markdown": "We *utilise*."}],
)
async def test_an_article_comes_in_three_forms(client: httpx.AsyncClient, form: dict[str, Any]) -> None:
    assert (await client.post(CHECK, json={"article": form})).status_code == 202


async def test_what_was_asked_for_is_kept(client: httpx.AsyncClient, stores: Stores) -> None:
    asked = {
        "title": "Heat",
        "language": "en-GB",
        "document_id": "d1",
        "guidelines": ["plain-words"],
        "channel": "word",
    }
    response = await client.post(CHECK, json=ARTICLE | asked)
    job = await stores.jobs.get(response.json()["job_id"])
    assert job
    kept = job.request
    assert (kept.title, kept.language, kept.document_id, kept.channel) == ("Heat", "en-GB", "d1", "word")
    assert (kept.guidelines, job.version) == (("plain-words",), "1")


async def test_a_file_is_read_by_its_name_and_named_by_it(client: httpx.AsyncClient, stores: Stores) -> None:
    form = {"guidelines": "plain-words, attribution", "channel": "word"}
    response = await client.post(CHECK, data=form, files={"file": ("heat.md", b"# Heat\n\nWe utilise.")})
    job = await stores.jobs.get(response.json()["job_id"])
    assert job
    assert (job.request.document_id, job.request.guidelines) == ("heat.md", ("plain-words", "attribution"))


async def test_a_document_whose_language_is_no_tag_is_read_without_it(
    client: httpx.AsyncClient, stores: Stores
) -> None:
    page = f'<html lang="en{"-abcdefgh" * 4}"><p>We utilise.</p></html>'
    response = await client.post(CHECK, json={"article": {"html": page}})
    job = await stores.jobs.get(response.json()["job_id"])
    assert job
    assert job.request.language != f"en{'-abcdefgh' * 4}"


REFUSED = [
    ({"json": {"article": {"text": "  \n"}}}, 422, "empty-article", "at least one sentence"),
    ({"json": {"article": {"text": "word " * 50_000}}}, 413, "content-too-large", "200,000"),
    (
        {"json": {"article": {}}},
        422,
        "invalid-request",
        "paragraphs, html, markdown and blob, got none",
    ),
    ({"json": {"article": {"text": "a", "html": "b"}}}, 422, "invalid-request", "got text, html"),
    ({"json": ARTICLE | {"titel": "x"}}, 422, "invalid-request", "titel: Extra inputs"),
    ({"json": ARTICLE | {"language": "english!"}}, 422, "invalid-request", "language: "),
    ({"json": ARTICLE | {"document_id": "a\0b"}}, 422, "invalid-request", "document_id: "),
    ({"json": ARTICLE | {"guidelines": ["nope"]}}, 422, "unknown-guideline", "it has plain-words, attribution"),
    ({"json": ARTICLE | {"guidelines": []}}, 422, "invalid-request", "guidelines: "),
    ({"json": []}, 422, "invalid-request", "the body: "),
    ({"content": "{", "headers": {"Content-Type": "application/json"}}, 400, "bad-request", "the body is not JSON"),
    ({"content": b"\xff{", "headers": {"Content-Type": "application/json"}}, 400, "bad-request", "is not JSON"),
    ({"content": "We utilise."}, 400, "bad-request", "send application/json, or a file"),
    ({"data": {"title": "x"}, "files": {"other": b"x"}}, 400, "bad-request", "in a field named file"),
    ({"files": {"file": ("a.docx", b"PK\x03\x04 cut off")}}, 415, "unsupported-document", "a.docx"),
    ({"files": {"file": ("a.bin", bytes(range(256)) * 9)}}, 415, "unsupported-document", "a.bin"),
    ({"files": {"file": ("a" * 501 + ".txt", b"We.")}}, 400, "bad-request", "at most 500"),
    ({"files": {"file": ("a.txt", b"")}}, 422, "empty-article", "no text"),
    ({"files": {"file": ("a.txt", b"x" * 10_000_001)}}, 413, "content-too-large", "10,000,000"),
    (
        {"content": "--x", "headers": {"Content-Type": "multipart/form-data; boundary=y"}},
        400,
        "bad-request",
        "multipart",
    ),
]


@pytest.mark.parametrize(("sent", "status", "type", "told"), REFUSED)
async def test_bad_input_is_answered_at_once(
    client: httpx.AsyncClient, stores: Stores, sent: dict[str, Any], status: int, type: str, told: str
) -> None:
    response = await client.post(CHECK, **sent)
    problem = response.json()
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert (problem["type"], problem["status"]) == (type, status)
    assert told in problem["detail"]
    assert await stores.jobs.waiting() == 0


async def test_a_body_without_end_is_stopped_at_the_limit(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000_000

    response = await client.post(CHECK, content=endless(), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["type"]) == (413, "content-too-large")


async def test_an_announced_body_over_the_limit_is_not_read(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "99000000"}
    response = await client.post(CHECK, content=b"{}", headers=headers)
    assert (response.status_code, response.json()["type"]) == (413, "content-too-large")


async def test_a_key_stands_for_one_request(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    first = (await client.post(CHECK, json=ARTICLE, headers=key)).json()
    again = (await client.post(CHECK, json=ARTICLE, headers=key)).json()
    assert (again["job_id"], again["duplicate"]) == (first["job_id"], True)
    other = await client.post(CHECK, json=ARTICLE | {"channel": "word"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "idempotency-conflict")


async def test_a_key_that_came_with_an_article_that_was_there_stands_for_it(client: httpx.AsyncClient) -> None:
    first = (await client.post(CHECK, json=ARTICLE)).json()
    key = {"Idempotency-Key": "k1"}
    assert (await client.post(CHECK, json=ARTICLE, headers=key)).json() == first | {"duplicate": True}
    other = await client.post(CHECK, json=ARTICLE | {"channel": "word"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "idempotency-conflict")
    await client.delete(f"/api/v1/jobs/{first['job_id']}")
    assert (await client.post(CHECK, json=ARTICLE, headers=key)).json()["job_id"] == first["job_id"]


@pytest.mark.parametrize(
    ("article", "is_read_here"),
    [
        ({"text": "We.\n" * 200}, True),
        ({"paragraphs": ["We."] * 200}, True),
        ({"text": "We.\n" * 201}, False),
        ({"text": "We.\r" * 201}, False),
        ({"paragraphs": ["We."] * 201}, False),
        ({"text": "We. " * 5000}, False),
        ({"html": "<p>We.</p>"}, False),
        ({"markdown": "We."}, False),
    ],
)
async def test_what_takes_long_to_read_holds_up_no_other_request(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, article: dict[str, object], is_read_here: bool
) -> None:
    seen: list[int] = []

    def read(*given: Any, **named: Any) -> Article:
        seen.append(threading.get_ident())
        return article_of(*given, **named)

    monkeypatch.setattr("serving.api.submission.article_of", read)
    assert (await client.post(CHECK, json={"article": article})).status_code == 202
    assert [thread == threading.get_ident() for thread in seen] == [is_read_here]


async def test_what_is_wrong_with_an_article_is_told_before_what_is_wrong_with_the_service(
    empty: httpx.AsyncClient,
) -> None:
    answers = [await empty.post(CHECK, json={"article": {"text": text}}) for text in ("", "We.")]
    assert [answer.json()["type"] for answer in answers] == ["empty-article", "no-champion"]


async def test_a_key_holds_for_the_same_file_under_another_boundary(client: httpx.AsyncClient) -> None:
    async def send(name: str) -> httpx.Response:
        data = {"document_id": "d"}
        return await client.post(CHECK, data=data, files={"file": (name, b"We.")}, headers={"Idempotency-Key": "k"})

    first, again, renamed = await send("a.txt"), await send("a.txt"), await send("a.md")
    assert again.json() == first.json() | {"duplicate": True}
    assert renamed.status_code == 409


async def test_an_equal_article_is_not_even_stored_again(settings: ServingSettings, client: httpx.AsyncClient) -> None:
    first = (await client.post(CHECK, json=ARTICLE)).json()
    shutil.rmtree(settings.articles)
    assert (await client.post(CHECK, json=ARTICLE)).json() == first | {"duplicate": True}
    assert not settings.articles.exists()


async def test_a_job_that_was_cancelled_stands_for_no_equal_article(client: httpx.AsyncClient) -> None:
    first = (await client.post(CHECK, json=ARTICLE)).json()
    await client.delete(f"/api/v1/jobs/{first['job_id']}")
    again = (await client.post(CHECK, json=ARTICLE)).json()
    assert (again["duplicate"], again["job_id"] == first["job_id"]) == (False, False)


async def test_without_a_champion_the_way_out_is_told(empty: httpx.AsyncClient) -> None:
    response = await empty.post(CHECK, json=ARTICLE)
    assert (response.status_code, response.json()["type"]) == (503, "no-champion")
    assert "`copydesk register`" in response.json()["detail"]
    assert int(response.headers["Retry-After"]) > 0


async def test_a_full_queue_says_when_to_come_back(settings: ServingSettings, client: httpx.AsyncClient) -> None:
    async with api_client(settings.model_copy(update={"queue_limit": 1})) as small:
        assert (await small.post(CHECK, json=ARTICLE)).status_code == 202
        refused = await small.post(CHECK, json=ARTICLE | {"document_id": "another"})
    assert (refused.status_code, refused.json()["type"]) == (503, "queue-full")
    assert int(refused.headers["Retry-After"]) > 0


async def test_the_description_names_both_bodies(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert set(document["paths"][CHECK]["post"]["requestBody"]["content"]) == {
        "application/json",
        "multipart/form-data",
    }
    schemas = document["components"]["schemas"]
    assert "CheckIn" in schemas
    for name in {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}:
        assert name in schemas
