"""Deliveries as MLflow's own code signs them, and what else may come."""

from datetime import timedelta
from typing import Any

import pytest
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
from mlflow.webhooks.delivery import _generate_hmac_signature
from mlflow.webhooks.types import EVENT_TO_PAYLOAD_CLASS, get_example_payload_for_event

from registry.version import MODEL_NAME
from serving.errors import BadRequest
from serving.registry_webhook import DeliveryRefused, announced, concerns_the_agent, must_be_signed
from tests.serving.build import NOW
from tests.serving.deliveries import OTHER, SECRET, delivery, moved

SECRETS = [SECRET.encode()]


def verify(headers: dict[str, str], body: bytes, secrets: list[bytes] = SECRETS) -> None:
    must_be_signed(announced(headers, NOW), body, secrets)


def test_what_mlflow_signs_is_taken_by_the_secret_of_now_and_that_of_before() -> None:
    headers, body = delivery(moved(), NOW)
    verify(headers, body)
    verify(headers, body, [OTHER.encode(), SECRET.encode()])


@pytest.mark.parametrize(
    "altered",
    [
        {"X-MLflow-Delivery-Id": "another"},
        {"X-MLflow-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"X-MLflow-Signature": "v1,AAAA"},
        {"X-MLflow-Signature": "v1,\xe4\xf6\xfc"},
        {"X-MLflow-Signature": _generate_hmac_signature(OTHER, "id", str(int(NOW.timestamp())), "{}")},
    ],
)
def test_what_is_signed_otherwise_is_refused(altered: dict[str, str]) -> None:
    headers, body = delivery(moved(), NOW)
    with pytest.raises(DeliveryRefused, match="signed with another secret: give the webhook in MLflow that of"):
        verify(headers | altered, body)


def test_a_body_that_was_altered_is_refused() -> None:
    headers, body = delivery(moved(), NOW)
    with pytest.raises(DeliveryRefused):
        verify(headers, body.replace(b'"2"', b'"3"'))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-MLflow-Signature": ""},
        {"X-MLflow-Delivery-Id": ""},
        {"X-MLflow-Delivery-Id": "x" * 65},
        {"X-MLflow-Delivery-Id": "a b"},
        {"X-MLflow-Timestamp": ""},
        {"X-MLflow-Timestamp": "soon"},
        {"X-MLflow-Timestamp": "-1"},
        {"X-MLflow-Timestamp": "٣"},
        {"X-MLflow-Timestamp": "9" * 5000},
    ],
)
def test_what_is_not_signed_as_mlflow_does_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(DeliveryRefused, match="as MLflow sends them for a webhook that was made with a secret"):
        announced(delivery(moved(), NOW)[0] | headers, NOW)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(301, "301 seconds ago"), (10**9, "1000000000 seconds ago"), (-301, "301 seconds ahead of this clock")],
)
def test_a_delivery_of_another_time_is_refused(seconds: int, says: str) -> None:
    headers, _ = delivery(moved(), NOW - timedelta(seconds=seconds))
    with pytest.raises(DeliveryRefused, match=f"{says}, and 300 are the most"):
        announced(headers, NOW)


def test_mlflow_s_last_attempt_is_in_time() -> None:
    headers, _ = delivery(moved(), NOW - timedelta(seconds=299))
    assert announced(headers, NOW).id == headers["X-MLflow-Delivery-Id"]


@pytest.mark.parametrize("entity", WebhookEntity)
def test_only_what_is_of_the_served_model_concerns_it(entity: WebhookEntity) -> None:
    of_models = entity.value.startswith(("registered_model", "model_version"))
    events = [WebhookEvent(*each) for each in EVENT_TO_PAYLOAD_CLASS if each[0] is entity]
    assert events
    for event in events:
        foreign: dict[str, Any] = dict(get_example_payload_for_event(event))
        assert not concerns_the_agent(delivery(foreign, NOW, event)[1])
        assert concerns_the_agent(delivery(foreign | {"name": MODEL_NAME}, NOW, event)[1]) == of_models


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"[]", b"{}", b"\xff", b'{"entity": "model_version", "action": "created"}', b"[" * 100_000],
)
def test_what_is_signed_and_no_delivery_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest, match="isn't one of MLflow's"):
        concerns_the_agent(body)


def test_the_events_named_here_are_mlflow_s() -> None:
    assert WebhookEvent.from_str("model_version_alias.created") == WebhookEvent(
        WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED
    )
