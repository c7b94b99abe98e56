"""Articles by the name of a file that another program has put into the blob store."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.formats.reading import MAX_FILE_BYTES
from agent.stored_article import load_article
from serving.access.api_keys import new_key
from serving.access.caller import ROLES, Permission, Role
from serving.access.settings import AccessSettings
from serving.adapters.blob_stores import open_blobs
from serving.adapters.database import Database
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.serving.build import ROOT, TEXT, served
from tests.serving.conftest import api_client
from tests.serving.service import free_port

CHECK = "/api/v1/compliance/check"
BATCHES = "/api/v1/compliance/batches"
PROGRAM = frozenset({Permission.CHECK, Permission.INBOX})


@pytest.fixture
def settings(tmp_path: Path) -> ServingSettings:
    return ServingSettings(home=tmp_path / "home", port=0)


@pytest.fixture
def inbox(settings: ServingSettings) -> Path:
    folder = settings.articles / "inbox"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "heat.md").write_text("# Heat\n\nWe utilise *experts*.")
    return folder


def blob(name: str, **fields: Any) -> dict[str, Any]:
    return {"article": {"blob": name}, **fields}


async def test_a_file_of_the_inbox_is_read_by_its_extension(
    client: httpx.AsyncClient, inbox: Path, settings: ServingSettings, stores: Stores
) -> None:
    response = await client.post(CHECK, json=blob("inbox/2026/heat.md"))
    job = await stores.jobs.get(response.json()["job_id"])
    assert (response.status_code, bool(job)) == (202, True)
    assert job
    assert (job.request.document_id, job.request.title) == ("inbox/2026/heat.md", "Heat")
    async with open_blobs(settings) as blobs:
        assert load_article(await blobs.get(job.blob) or b"").text == "Heat\n\nWe utilise experts."


async def test_a_retry_after_the_file_was_replaced_stands_for_no_other_article(
    client: httpx.AsyncClient, inbox: Path
) -> None:
    asked, key = blob("inbox/2026/heat.md"), {"Idempotency-Key": "k"}
    first = (await client.post(CHECK, json=asked, headers=key)).json()
    (inbox / "2026" / "heat.md").write_text("# Rain\n\nWe use experts.")
    assert (await client.post(CHECK, json=asked, headers=key)).json() == first | {"duplicate": True}
    other = (await client.post(CHECK, json=asked)).json()
    assert (other["duplicate"], other["job_id"] == first["job_id"]) == (False, False)


async def test_a_retry_after_the_file_was_taken_away_is_still_the_job(client: httpx.AsyncClient, inbox: Path) -> None:
    asked, key = blob("inbox/2026/heat.md"), {"Idempotency-Key": "k"}
    first = (await client.post(CHECK, json=asked, headers=key)).json()
    (inbox / "2026" / "heat.md").unlink()
    assert (await client.post(CHECK, json=asked, headers=key)).json() == first | {"duplicate": True}
    assert (await client.post(CHECK, json=asked)).status_code == 404


async def test_what_was_said_of_it_counts_more(client: httpx.AsyncClient, inbox: Path, stores: Stores) -> None:
    asked = blob("inbox/2026/heat.md", document_id="d1", title="Hitze", language="de")
    job = await stores.jobs.get((await client.post(CHECK, json=asked)).json()["job_id"])
    assert job
    assert (job.request.document_id, job.request.title, job.request.language) == ("d1", "Hitze", "de")


@pytest.mark.parametrize(
    ("name", "status", "type", "told"),
    [
        ("inbox/absent.docx", 404, "blob-not-found", "no file 'inbox/absent.docx' in the blob store"),
        ("inbox/2026", 404, "blob-not-found", "inbox/2026"),
        ("inbox/2026/heat.md/x", 404, "blob-not-found", "heat.md/x"),
        ("inbox/../ab/" + "0" * 64, 422, "invalid-request", "blob: "),
        ("0" * 64, 422, "invalid-request", "only names that begin with 'inbox/'"),
        ("inbox/a\0b", 422, "invalid-request", "control characters"),
        ("inbox/" + "x" * 600, 422, "invalid-request", "at most 500 characters"),
        ("inbox/huge.txt", 413, "content-too-large", "10,000,001 bytes, over the limit"),
        ("inbox/broken.docx", 415, "unsupported-document", "broken.docx"),
        ("inbox/empty.txt", 422, "empty-article", "no text"),
        ("inbox/pipe", 404, "blob-not-found", "pipe"),
    ],
    ids=lambda value: ascii(value)[:24],
)
async def test_what_cannot_be_checked_is_told(
    client: httpx.AsyncClient, inbox: Path, stores: Stores, name: str, status: int, type: str, told: str
) -> None:
    (inbox / "broken.docx").write_bytes(b"PK\x03\x04 cut off")
    (inbox / "empty.txt").touch()
    os.mkfifo(inbox / "pipe")
    with (inbox / "huge.txt").open("wb") as huge:
        huge.truncate(MAX_FILE_BYTES + 1)
    response = await client.post(CHECK, json=blob(name))
    assert (response.status_code, response.json()["type"]) == (status, type)
    assert told in response.json()["detail"]
    assert await stores.jobs.waiting() == 0


async def header(database: Database, scopes: frozenset[Permission]) -> dict[str, str]:
    key, text = new_key(user="cms", name="test", scopes=scopes, by="root", now=utc_now(), expires=None)
    await SqlApiKeys(database).add(key, ROOT)
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
async def closed(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    await SqlServedVersions(database).put(served(at=utc_now()))
    async with api_client(settings, AccessSettings(jwt_secret_key="s" * 32)) as client:
        yield client


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(PROGRAM, 202), (ROLES[Role.ADMIN], 202), (ROLES[Role.EDITOR], 403), (ROLES[Role.GUIDELINE_OWNER], 403)],
)
async def test_only_who_may_use_the_inbox_learns_what_is_in_it(
    closed: httpx.AsyncClient, database: Database, inbox: Path, scopes: frozenset[Permission], status: int
) -> None:
    headers = await header(database, scopes)
    one = await closed.post(CHECK, json=blob("inbox/2026/heat.md"), headers=headers)
    many = await closed.post(BATCHES, json={"articles": [blob("inbox/2026/heat.md")]}, headers=headers)
    absent = await closed.post(CHECK, json=blob("inbox/absent"), headers=headers)
    assert [one.status_code, many.status_code] == [status, status]
    assert absent.status_code == (404 if status == 202 else 403)


async def test_a_batch_names_files_beside_articles(client: httpx.AsyncClient, inbox: Path) -> None:
    articles = [blob("inbox/2026/heat.md"), {"article": {"text": TEXT}, "document_id": "d2"}]
    batch = (await client.post(BATCHES, json={"language": "en", "articles": articles})).headers["Location"]
    jobs = (await client.get(f"{batch}/jobs")).json()["jobs"]
    assert [(job["document_id"], job["title"]) for job in jobs] == [("inbox/2026/heat.md", "Heat"), ("d2", "")]


async def test_a_batch_with_files_that_are_not_there_is_refused_with_all_of_them(
    client: httpx.AsyncClient, inbox: Path, stores: Stores
) -> None:
    articles = [blob("inbox/2026/heat.md"), blob("inbox/a.md"), {"article": {"text": " "}}, blob("inbox/b.md")]
    refused = await client.post(BATCHES, json={"articles": articles})
    assert (refused.status_code, refused.json()["type"]) == (422, "batch-refused")
    detail = refused.json()["detail"]
    assert "3 of 4 articles can't be checked" in detail
    assert all(said in detail for said in ("article 2: there is no file 'inbox/a.md'", "article 3: ", "article 4: "))
    assert await stores.jobs.waiting() == 0


async def test_a_batch_of_names_does_not_fill_the_memory(
    client: httpx.AsyncClient, inbox: Path, stores: Stores
) -> None:
    (inbox / "long.txt").write_text("word " * 39_999)
    refused = await client.post(BATCHES, json={"language": "en", "articles": [blob("inbox/long.txt")] * 200})
    assert (refused.status_code, refused.json()["type"]) == (422, "batch-refused")
    assert "more than 20,000,000 characters together" in refused.json()["detail"]
    assert await stores.jobs.waiting() == 0


async def test_while_the_store_is_away_articles_are_refused_for_the_moment(
    client: httpx.AsyncClient, settings: ServingSettings, stores: Stores
) -> None:
    gone = f"AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:{free_port()}/a"
    async with api_client(settings.model_copy(update={"blob_connection_string": gone})) as api:
        for path, body in (
            (CHECK, {"article": {"text": TEXT}}),
            (CHECK, blob("inbox/a.md")),
            (BATCHES, {"articles": [blob("inbox/a.md")]}),
        ):
            response = await api.post(path, json=body)
            assert (response.status_code, response.json()["type"]) == (503, "blob-store-unavailable")
            assert int(response.headers["Retry-After"]) > 0
    assert await stores.jobs.waiting() == 0
