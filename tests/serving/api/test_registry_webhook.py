"""MLflow's deliveries over HTTP: what reaches the workers, and what is refused."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from serving.access.settings import AccessSettings
from serving.adapters.database import Database
from serving.adapters.sql_registry_hints import SqlRegistryHints
from serving.api import registry_webhook
from serving.api.registry_webhook import SENDER
from serving.app import utc_now
from serving.registry_webhook import MAX_BODY_BYTES
from serving.seldom import Seldom
from serving.settings import ServingSettings
from tests.serving.conftest import OPEN, api_client
from tests.serving.deliveries import OTHER, SECRET, delivery, moved

PATH = "/api/v1/registry/webhook"
SIGN_IN = AccessSettings(jwt_secret_key="s" * 32)


def told_of(settings: ServingSettings, **changed: Any) -> ServingSettings:
    return ServingSettings(**{**settings.model_dump(), "registry_webhook_secret": f"{OTHER} {SECRET}", **changed})


@pytest.fixture
async def told(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API with sign-in and the secret of a webhook; no credential is sent."""
    async with api_client(told_of(settings), SIGN_IN) as client:
        yield client


async def send(client: httpx.AsyncClient, sent: tuple[dict[str, str], bytes]) -> httpx.Response:
    return await client.post(PATH, headers=sent[0], content=sent[1])


async def test_a_delivery_reaches_the_workers_once(told: httpx.AsyncClient, database: Database) -> None:
    hints = SqlRegistryHints(database)
    assert await hints.latest() == 0
    first, second = delivery(moved(), utc_now()), delivery(moved(), utc_now(), secret=OTHER)
    answers = [await send(told, sent) for sent in (first, first, second)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (202, {"told": True}),
        (202, {"told": False}),
        (202, {"told": True}),
    ]
    latest = await hints.latest()
    assert latest > 0
    await send(told, first)
    assert await hints.latest() == latest


async def test_another_model_is_nothing_to_look_at(told: httpx.AsyncClient, database: Database) -> None:
    answer = await send(told, delivery(moved("fraud-detector"), utc_now()))
    assert (answer.status_code, answer.json()) == (202, {"told": False})
    assert await SqlRegistryHints(database).latest() == 0


async def test_what_is_not_signed_so_or_not_lately_is_refused(told: httpx.AsyncClient, database: Database) -> None:
    headers, body = delivery(moved(), utc_now())
    refused = [
        await send(told, ({}, body)),
        await send(told, (headers, body + b" ")),
        await send(told, delivery(moved(), utc_now(), secret="x" * 32)),
        await send(told, delivery(moved(), utc_now() - timedelta(minutes=6))),
    ]
    assert [(answer.status_code, answer.json()["type"]) for answer in refused] == [(401, "delivery-refused")] * 4
    assert {answer.headers["WWW-Authenticate"] for answer in refused} == {'MLflow-Signature realm="copydesk"'}
    assert await SqlRegistryHints(database).latest() == 0


async def test_what_is_signed_and_no_json_is_a_problem(told: httpx.AsyncClient) -> None:
    from mlflow.webhooks.delivery import _generate_hmac_signature

    headers, _ = delivery(moved(), utc_now())
    signature = _generate_hmac_signature(
        SECRET, headers["X-MLflow-Delivery-Id"], headers["X-MLflow-Timestamp"], "no JSON"
    )
    answer = await send(told, (headers | {"X-MLflow-Signature": signature}, b"no JSON"))
    assert (answer.status_code, answer.json()["type"]) == (400, "bad-request")


async def test_a_large_body_is_not_read_to_its_end(told: httpx.AsyncClient) -> None:
    headers, _ = delivery(moved(), utc_now())
    answer = await send(told, (headers, b" " * (MAX_BODY_BYTES + 1)))
    assert (answer.status_code, answer.json()["type"]) == (413, "content-too-large")


async def test_deliveries_are_counted_and_what_is_refused_takes_none_away(settings: ServingSettings) -> None:
    async with api_client(told_of(settings, user_requests_per_minute=2), OPEN) as client:
        forged = [await send(client, delivery(moved(), utc_now(), secret="x" * 32)) for _ in range(3)]
        sent = [await send(client, delivery(moved(), utc_now())) for _ in range(3)]
    assert [answer.status_code for answer in forged + sent] == [401, 401, 401, 202, 202, 429]
    assert SENDER in sent[-1].json()["detail"]
    assert sent[-1].headers["Retry-After"]


async def test_other_models_use_up_nothing(settings: ServingSettings, database: Database) -> None:
    async with api_client(told_of(settings, user_requests_per_minute=1), OPEN) as client:
        foreign = [await send(client, delivery(moved("fraud-detector"), utc_now())) for _ in range(3)]
        ours = await send(client, delivery(moved(), utc_now()))
    assert [answer.json() for answer in (*foreign, ours)] == [{"told": False}] * 3 + [{"told": True}]


async def test_refusals_are_logged_once_in_a_while(
    told: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry_webhook, "_told_of_refusals", Seldom(3600))
    for _ in range(2):
        await send(told, delivery(moved(), utc_now(), secret="x" * 32))
    said = [record.message for record in caplog.records if record.name == registry_webhook.__name__]
    assert len(said) == 1
    assert "a delivery of MLflow's webhook was refused: the delivery is signed with another secret" in said[0]


async def test_without_a_secret_nothing_is_taken(empty: httpx.AsyncClient, database: Database) -> None:
    answer = await send(empty, delivery(moved(), utc_now(), secret=""))
    assert (answer.status_code, answer.json()["type"]) == (404, "no-registry-webhook")
    assert "set COPYDESK_REGISTRY_WEBHOOK_SECRET" in answer.json()["detail"]
    assert await SqlRegistryHints(database).latest() == 0


async def test_mlflow_sends_no_signature_without_a_secret(told: httpx.AsyncClient) -> None:
    answer = await send(told, delivery(moved(), utc_now(), secret=""))
    assert (answer.status_code, "made with a secret" in answer.json()["detail"]) == (401, True)
