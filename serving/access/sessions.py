"""Session tokens: JWT of this service, good for 15 minutes and refreshed for a working day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

import jwt

from serving.access.caller import Caller, NotSignedIn, Permission, Session
from serving.ports.control import Revocations

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "copydesk"
PAGES_AUDIENCE = "copydesk-pages"  # of tokens that only pages take: they can read, and change nothing
LIFE = timedelta(minutes=15)
PAGES_LIFE = timedelta(hours=1)  # a page without script refreshes nothing
DAY = timedelta(hours=10)  # after signing in; then a session is not refreshed any more
LEEWAY = timedelta(seconds=5)  # between the clocks of replicas
MOST_KEPT = 2048  # tokens whose signature isn't verified again: a client asks for its job every second
ENDED = "this session was ended: sign in again"
_CLAIMS = ["iss", "aud", "sub", "jti", "iat", "exp", "auth_time", "scope", "source"]


@dataclass(frozen=True, slots=True)
class Minted:
    token: str
    caller: Caller


class Sessions:
    """Signs with the first secret and accepts all of them, so that secrets can be rotated."""

    def __init__(
        self, secrets: Sequence[str], revocations: Revocations, *, audience: str = AUDIENCE, life: timedelta = LIFE
    ) -> None:
        """Tokens of another audience are refused."""
        self._secrets = tuple(secrets)
        self._revocations = revocations
        self._audience = audience
        self._life = life
        self._read = lru_cache(MOST_KEPT)(self._verified)

    async def mint(self, caller: Caller, scopes: frozenset[Permission] | None, now: datetime) -> Minted:
        """A session with those of the caller's permissions that are asked for, or all.

        A session gives way to a new one once. A second time somebody has a copy of its token, and nobody knows who of
        the two went on from it: all that go back to the same sign-in are ended (RFC 9700, 4.14.2). Raises NotSignedIn.
        """
        began, chain = now, uuid4().hex
        if (old := caller.session) is not None:
            began, chain = old.began, old.chain
            if now >= began + DAY:
                raise NotSignedIn("you signed in more than ten hours ago: sign in again")
            if not await self._revocations.revoke(f"refresh:{old.id}", seconds=_left(old, now)):
                await self.end(old, now)
                raise NotSignedIn(
                    "this session was refreshed before: somebody may have a copy of its token; sign in again"
                )
        permissions = caller.permissions if scopes is None else caller.permissions & scopes
        until = min(now + self._life, began + DAY)
        session = Session(uuid4().hex, began, until, source=caller.via, chain=chain)
        made = Caller(caller.user, permissions, via=caller.via, session=session)
        return Minted(self._signed(made, session, now), made)

    async def caller(self, token: str, now: datetime) -> Caller:
        """Raises NotSignedIn for a token that is not this service's, has expired or was revoked."""
        caller = self.claimed(token, now)
        await self.confirm(caller)
        return caller

    def claimed(self, token: str, now: datetime) -> Caller:
        """As `caller`, as far as this process knows by itself: `confirm` is to be asked, too."""
        caller, session = self._read(token)
        if now >= session.until + LEEWAY:
            raise NotSignedIn("the session has expired: sign in again")
        if self._revocations.is_known(session.chain, session.source):
            raise NotSignedIn(ENDED)
        return caller

    async def confirm(self, caller: Caller) -> None:
        """Raises NotSignedIn where the session was revoked, by whichever process."""
        session = caller.session
        if session is not None and await self._revocations.is_revoked(session.chain, session.source):
            raise NotSignedIn(ENDED)

    async def end(self, session: Session, now: datetime) -> None:
        """It and all others that go back to the same sign-in, for as long as one could be refreshed somewhere."""
        await self._revocations.revoke(session.chain, seconds=(session.began + DAY + LEEWAY - now).total_seconds())

    async def end_all_of(self, key_id: str) -> None:
        """Ends the sessions that were begun with a key."""
        await self._revocations.revoke(f"key:{key_id}", seconds=(max(LIFE, PAGES_LIFE) + LEEWAY).total_seconds())

    def _signed(self, caller: Caller, session: Session, now: datetime) -> str:
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": caller.user,
            "jti": session.id,
            "sid": session.chain,
            "iat": int(now.timestamp()),
            "exp": int(session.until.timestamp()),
            "auth_time": int(session.began.timestamp()),
            "scope": " ".join(sorted(caller.permissions)),
            "source": session.source,
        }
        return jwt.encode(claims, self._secrets[0], ALGORITHM)

    def _verified(self, token: str) -> tuple[Caller, Session]:
        """What a token of this service says, whether it still holds or not; raises NotSignedIn."""
        claims = self._claims(token)
        session = Session(
            claims["jti"],
            _time(claims["auth_time"]),
            _time(claims["exp"]),
            source=str(claims["source"]),
            chain=str(claims.get("sid", claims["jti"])),  # the release before named none
        )
        known = {permission.value for permission in Permission}
        scopes = frozenset(Permission(name) for name in str(claims["scope"]).split() if name in known)
        return Caller(claims["sub"], scopes, via=session.source, session=session), session

    def _claims(self, token: str) -> dict[str, Any]:
        for secret in self._secrets:
            try:
                # Expiry is held against our clock above: the library would take its own.
                claims: dict[str, Any] = jwt.decode(
                    token,
                    secret,
                    [ALGORITHM],
                    audience=self._audience,
                    issuer=ISSUER,
                    options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError as error:
                raise NotSignedIn(f"the session token is not valid ({error}): sign in again") from error
            return claims
        raise NotSignedIn("the session token is not valid (its signature is not this service's): sign in again")


def _left(session: Session, now: datetime) -> float:
    """Seconds until the token is refused anyway."""
    return max(0.0, (session.until + LEEWAY - now).total_seconds())


def _time(seconds: object) -> datetime:
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise NotSignedIn(f"the session token is not valid (the time {seconds!r}): sign in again") from error
