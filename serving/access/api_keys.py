"""API keys: random, shown once, stored as a hash."""

import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent.errors import CopydeskError
from serving.access.audit import Actor
from serving.access.caller import Caller, NotSignedIn, Permission

PREFIX = "cdk"
_ID_BYTES, _SECRET_BYTES = 6, 32
NOTED_EVERY = timedelta(minutes=5)  # a write for each request would cost more than knowing it to the second is worth

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: `digest` is the SHA-256 of its secret, which has 256 random bits."""

    id: str
    digest: str
    user: str  # on whose behalf it asks
    name: str  # what it is for
    scopes: frozenset[Permission]
    created: datetime
    created_by: str
    expires: datetime | None = None
    revoked: datetime | None = None
    used: datetime | None = None  # to within some minutes

    def state(self, now: datetime) -> str:
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "good"


class ApiKeys(Protocol):
    """Where keys are kept."""

    async def add(self, key: ApiKey, by: Actor) -> None:
        """Noted in the audit."""

    async def get(self, id: str) -> ApiKey | None: ...

    async def all(self) -> list[ApiKey]:
        """The latest first."""

    async def revoke(self, id: str, by: Actor, now: datetime) -> ApiKey | None:
        """The key, revoked now or before, and noted in the audit; None when there is none."""

    async def used(self, id: str, now: datetime) -> None:
        """Notes it, unless it was noted within NOTED_EVERY."""


def new_key(
    *, user: str, name: str, scopes: frozenset[Permission], by: str, now: datetime, expires: datetime | None
) -> tuple[ApiKey, str]:
    """A key and its text, which is kept nowhere."""
    id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    return ApiKey(id, _digest(secret), user, name, scopes, now, by, expires), f"{PREFIX}_{id}_{secret}"


def looks_like_key(token: str) -> bool:
    return token.startswith(f"{PREFIX}_")


async def caller_by_key(keys: ApiKeys, token: str, now: datetime) -> Caller:
    """Raises NotSignedIn. What is wrong is told only to who has the secret."""
    _, _, rest = token.partition("_")
    id, _, secret = rest.partition("_")
    key = await keys.get(id) if id.isalnum() else None
    # Compared also without a key, so that the time taken doesn't tell whether there is one.
    matches = hmac.compare_digest(key.digest if key else _digest(""), _digest(secret))
    if key is None or not matches:
        raise NotSignedIn("the API key is not valid: check that all of it was copied, or make another")
    if (state := key.state(now)) != "good":
        raise NotSignedIn(f"the API key {key.name!r} ({key.id}) is {state}: ask for another")
    if key.used is None or key.used < now - NOTED_EVERY:
        await _note(keys, key, now)
    return Caller(key.user, key.scopes, via=f"key:{key.id}")


async def _note(keys: ApiKeys, key: ApiKey, now: datetime) -> None:
    try:
        await keys.used(key.id, now)
    except CopydeskError as error:  # who only reads needs no database that can write
        if not error.outage:
            raise
        logger.warning("the use of the API key %s was not noted: %s", key.id, error)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
