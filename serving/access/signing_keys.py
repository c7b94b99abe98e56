"""An issuer's signing keys (JWKS, RFC 7517), fetched again when one is unknown."""

import asyncio
import logging
from typing import Any

import jwt

from agent.errors import CopydeskError
from serving.ports.clocks import Ticks

FRESH_SECONDS = 3600.0
COOLDOWN_SECONDS = 10.0  # between two fetches, so that tokens naming made-up keys don't make us ask again and again
PATIENCE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class SigningKeysUnavailable(CopydeskError):
    """The issuer's keys can't be fetched, so nobody's token can be verified."""

    type = "sign-in-unavailable"
    status = 503
    retry_after = 10


class SigningKeys:
    """Keys that are known stay good while the issuer is away."""

    def __init__(self, address: str, ticks: Ticks) -> None:
        # One fetch a call: what is kept, and for how long, is decided here.
        self._client = jwt.PyJWKClient(address, cache_keys=False, cache_jwk_set=False, timeout=PATIENCE_SECONDS)
        self._ticks = ticks
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._turn = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def key(self, id: str) -> jwt.PyJWK | None:
        """None for a key that the issuer hasn't; raises SigningKeysUnavailable when none is known."""
        if id not in self._keys:
            await self._refresh(id)
        elif self._stale and self._refreshing is None:
            # Beside the request, which a key that is known serves: an issuer that is away would keep everybody waiting.
            self._refreshing = asyncio.create_task(self._refresh(id))
            self._refreshing.add_done_callback(self._refreshed)
        if not self._keys:
            raise SigningKeysUnavailable(
                f"the signing keys at {self._client.uri} can't be fetched, so tokens can't be verified: try again soon"
            )
        return self._keys.get(id)

    @property
    def _stale(self) -> bool:
        return self._older(self._fetched, FRESH_SECONDS) and self._older(self._tried, COOLDOWN_SECONDS)

    async def _refresh(self, id: str) -> None:
        async with self._turn:
            if (id not in self._keys and self._older(self._tried, COOLDOWN_SECONDS)) or self._stale:
                await self._fetch()

    def _refreshed(self, _: "asyncio.Task[None]") -> None:
        self._refreshing = None

    async def _fetch(self) -> None:
        self._tried = self._ticks()
        try:
            document: Any = await asyncio.to_thread(self._client.fetch_data)
            found = jwt.PyJWKSet.from_dict(document)
        except (jwt.PyJWKClientError, jwt.PyJWKSetError, jwt.InvalidTokenError, ValueError) as error:
            logger.warning("the signing keys at %s can't be fetched: %s", self._client.uri, error)
            return
        self._fetched = self._ticks()
        self._keys = {key.key_id: key for key in found.keys if key.key_id and key.public_key_use in ("sig", None)}

    def _older(self, then: float | None, seconds: float) -> bool:
        return then is None or self._ticks() - then >= seconds
