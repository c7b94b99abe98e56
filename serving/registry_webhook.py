"""What MLflow tells of its registry: signed deliveries, verified here. Pure.

MLflow signs much as Standard Webhooks do, with other headers, and with the secret's text as its key.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel, ValidationError

from agent.errors import CopydeskError
from registry.version import MODEL_NAME
from serving.errors import BadRequest

ID_HEADER = "X-MLflow-Delivery-Id"
TIMESTAMP_HEADER = "X-MLflow-Timestamp"
SIGNATURE_HEADER = "X-MLflow-Signature"
TOLERANCE = timedelta(minutes=5)  # MLflow repeats what wasn't answered, with the timestamp of its first attempt
LEAST_SECRET = 32  # bytes, as long as the hash
MAX_BODY_BYTES = 256 * 1024
_ID = re.compile(r"[!-~]{1,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")  # seconds since 1970
# A prompt may have the model's name, and serves nothing by itself.
_ENTITIES = frozenset({"registered_model", "model_version", "model_version_tag", "model_version_alias"})


class NoRegistryWebhook(CopydeskError):
    """There is no secret by which a delivery could be verified."""

    type = "no-registry-webhook"
    status = 404


class DeliveryRefused(CopydeskError):
    """A delivery that the registry has not signed, or not lately."""

    type = "delivery-refused"
    status = 401
    headers: ClassVar = {"WWW-Authenticate": 'MLflow-Signature realm="copydesk"'}


@dataclass(frozen=True, slots=True)
class Announced:
    """What a delivery's headers claim, before its body is read."""

    id: str  # the same whenever it is repeated
    timestamp: str
    signature: str


class _Subject(BaseModel):
    name: str = ""


class _Event(BaseModel):
    entity: str
    action: str
    data: _Subject


def announced(headers: Mapping[str, str], now: datetime) -> Announced:
    """Raises DeliveryRefused where nothing is signed, or what is has grown old."""
    found = Announced(*(headers.get(name, "") for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)))
    if not found.signature or not _ID.fullmatch(found.id) or not _TIMESTAMP.fullmatch(found.timestamp):
        raise DeliveryRefused(
            f"a delivery needs {ID_HEADER}, {TIMESTAMP_HEADER} and {SIGNATURE_HEADER}, as MLflow sends them for a "
            "webhook that was made with a secret"
        )
    age = now.timestamp() - int(found.timestamp)
    if abs(age) > TOLERANCE.total_seconds():
        raise DeliveryRefused(
            f"the delivery was signed {abs(age):.0f} seconds {'ago' if age > 0 else 'ahead of this clock'}, and "
            f"{TOLERANCE.total_seconds():.0f} are the most: set the clocks of this machine and of MLflow's"
        )
    return found


def must_be_signed(delivery: Announced, body: bytes, secrets: Sequence[bytes]) -> None:
    """Raises DeliveryRefused unless one of the secrets has signed exactly this."""
    content = f"{delivery.id}.{delivery.timestamp}.".encode() + body
    given = delivery.signature.encode()
    matches = [hmac.compare_digest(_signature(secret, content), given) for secret in secrets]
    if not any(matches):
        raise DeliveryRefused(
            "the delivery is signed with another secret: give the webhook in MLflow that of "
            "COPYDESK_REGISTRY_WEBHOOK_SECRET"
        )


def concerns_the_agent(body: bytes) -> bool:
    """Whether a verified delivery is about the model that is served; raises BadRequest."""
    try:
        event = _Event.model_validate_json(body)
    except ValidationError as error:
        raise BadRequest(f"the delivery isn't one of MLflow's: {error.errors()[0]['msg']}") from error
    return event.entity in _ENTITIES and event.data.name == MODEL_NAME


def _signature(secret: bytes, content: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256))
