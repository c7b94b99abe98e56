"""Deliveries of MLflow's webhooks, made and signed by MLflow's own code without a server."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from mlflow.entities.webhook import Webhook, WebhookAction, WebhookEntity, WebhookEvent
from mlflow.webhooks.delivery import _send_webhook_request

from registry.version import CHAMPION, MODEL_NAME

SECRET, OTHER = "s" * 32, "o" * 32
ALIAS_MOVED = WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED)


def moved(name: str = MODEL_NAME) -> dict[str, Any]:
    return {"name": name, "alias": CHAMPION, "version": "2"}


class _Session:
    """In place of the connection to the service."""

    def post(self, url: str, data: bytes, headers: Mapping[str, str], timeout: int) -> None:
        self.sent = dict(headers), data


def delivery(
    payload: Mapping[str, Any], at: datetime, event: WebhookEvent = ALIAS_MOVED, secret: str = SECRET
) -> tuple[dict[str, str], bytes]:
    """Headers and body, as MLflow would send them at a moment."""
    session = _Session()
    webhook = cast("Webhook", SimpleNamespace(url="https://copydesk.example/", secret=secret, workspace=None))
    with (
        patch("mlflow.webhooks.delivery.time.time", at.timestamp),
        patch("mlflow.webhooks.delivery._validate_webhook_url"),  # which looks the name up
    ):
        _send_webhook_request(webhook, cast("Any", payload), event, cast("Any", session))
    return session.sent
