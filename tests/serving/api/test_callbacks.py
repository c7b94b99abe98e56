"""`callback_url`: taken where it may be called, from JSON, a form and a batch."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.serving.build import TEXT, served
from tests.serving.conftest import api_client

CHECK, BATCHES = "/api/v1/compliance/check", "/api/v1/compliance/batches"
URL = "https://hooks.example.com/done"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
ARTICLE = {"article": {"text": TEXT}}


@pytest.fixture
async def calling(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API of a house that calls its clients back."""
    await SqlServedVersions(database).put(served(at=utc_now()))
    with_secret = ServingSettings.model_validate(settings.model_dump() | {"webhook_secret": SECRET})
    async with api_client(with_secret) as client:
        yield client


@pytest.mark.parametrize(
    "sent",
    [{"json": ARTICLE | {"callback_url": URL}}, {"data": {"callback_url": URL}, "files": {"file": ("a.md", b"We.")}}],
)
async def test_an_address_is_kept_with_its_job(
    calling: httpx.AsyncClient, stores: Stores, sent: dict[str, Any]
) -> None:
    response = await calling.post(CHECK, **sent)
    job = await stores.jobs.get(response.json()["job_id"])
    assert job
    assert (response.status_code, job.callback_url) == (202, URL)


async def test_a_batch_has_one_for_all_of_its_jobs(calling: httpx.AsyncClient, stores: Stores) -> None:
    response = await calling.post(BATCHES, json={"articles": [ARTICLE], "callback_url": URL})
    batch = await stores.batches.get(response.json()["batch_id"])
    assert batch
    [item] = await stores.batches.jobs(batch.id, 0, 9)
    assert (response.status_code, batch.callback_url, item.job.callback_url) == (202, URL, "")


async def test_an_address_that_may_not_be_called_is_refused(calling: httpx.AsyncClient, stores: Stores) -> None:
    bad = {"callback_url": "https://169.254.169.254/latest/"}
    for path, body in ((CHECK, ARTICLE | bad), (BATCHES, {"articles": [ARTICLE]} | bad)):
        response = await calling.post(path, json=body)
        assert (response.status_code, response.json()["type"]) == (422, "callback-refused")
        assert "its host is not a public address" in response.json()["detail"]
    assert await stores.jobs.waiting() == 0


async def test_without_a_secret_nobody_can_be_called(client: httpx.AsyncClient) -> None:
    response = await client.post(CHECK, json=ARTICLE | {"callback_url": URL})
    assert (response.status_code, response.json()["type"]) == (422, "callback-refused")
    assert "set COPYDESK_WEBHOOK_SECRET" in response.json()["detail"]


async def test_who_wants_to_be_called_gets_a_job_that_is_still_to_end(calling: httpx.AsyncClient) -> None:
    first = (await calling.post(CHECK, json=ARTICLE)).json()
    called = (await calling.post(CHECK, json=ARTICLE | {"callback_url": URL})).json()
    assert (called["duplicate"], called["job_id"] != first["job_id"]) == (False, True)
