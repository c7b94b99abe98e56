"""From a request's credential to who asks."""

import time

import jwt

from serving.access.api_keys import ApiKeys, caller_by_key, looks_like_key
from serving.access.caller import LOCAL, Caller, NotSignedIn
from serving.access.entra import EntraTokens
from serving.access.sessions import ALGORITHM as SESSION_ALGORITHM
from serving.access.sessions import PAGES_AUDIENCE, PAGES_LIFE, Sessions
from serving.access.settings import AccessSettings
from serving.access.signing_keys import SigningKeys
from serving.ports.clocks import Clock
from serving.ports.control import Revocations

SESSION_HEAD = jwt.encode({}, "-" * 32, SESSION_ALGORITHM).partition(".")[0] + "."  # of every session's token
LONGEST_TOKEN = 16_000  # characters; an Entra token with many groups has some thousands


class SignIn:
    """API keys, sessions of this service where a secret is set, and Entra tokens where a tenant is."""

    def __init__(self, settings: AccessSettings, keys: ApiKeys, revocations: Revocations, clock: Clock) -> None:
        self.required = settings.required
        self.metrics_token = settings.metrics_token.get_secret_value()
        self.sessions = Sessions(settings.secrets, revocations) if settings.secrets else None
        self.page_sessions = (
            Sessions(settings.secrets, revocations, audience=PAGES_AUDIENCE, life=PAGES_LIFE)
            if settings.secrets
            else None
        )
        self._keys = keys
        self._clock = clock
        entra = settings.entra
        self._entra = EntraTokens(entra, SigningKeys(entra.keys, time.monotonic)) if entra else None

    async def caller(self, token: str) -> Caller:
        """Raises NotSignedIn, NotAllowed and SigningKeysUnavailable."""
        caller = await self.claimed(token)
        await self.confirm(caller)
        return caller

    async def confirm(self, caller: Caller) -> None:
        """Raises NotSignedIn where the session that a caller claimed has been ended."""
        if self.sessions is not None:
            await self.sessions.confirm(caller)

    async def claimed(self, token: str) -> Caller:
        """As `caller`, but for whether another process ended the session: `confirm` asks that, beside whatever else.

        Nothing may be told or changed before. Raises as `caller` does.
        """
        if not self.required:
            return LOCAL
        if not token:
            raise NotSignedIn("this needs a sign-in: send a session token or an API key as `Authorization: Bearer ...`")
        if len(token) > LONGEST_TOKEN:
            raise NotSignedIn(f"the token has {len(token)} characters: more than {LONGEST_TOKEN} are not read")
        if looks_like_key(token):
            return await caller_by_key(self._keys, token, self._clock())
        # The algorithm only says whose token it claims to be: each verifies with its own algorithm and keys.
        if token.startswith(SESSION_HEAD) or _algorithm(token) == SESSION_ALGORITHM:
            if self.sessions is not None:
                return self.sessions.claimed(token, self._clock())
        elif self._entra is not None:
            return await self._entra.caller(token)
        raise NotSignedIn("the token is of no kind that is accepted here: sign in again")

    async def reader(self, token: str) -> Caller:
        """Who reads a page with the token of its cookie; raises NotSignedIn."""
        if not self.required:
            return LOCAL
        if not token or len(token) > LONGEST_TOKEN or self.page_sessions is None:
            raise NotSignedIn("this page needs a sign-in: open /sign-in")
        caller = await self.page_sessions.caller(token, self._clock())
        await self.must_go_on(caller)
        return caller

    async def must_go_on(self, caller: Caller) -> None:
        """Raises NotSignedIn where a session's key was revoked or has expired: processes needn't share a Redis."""
        kind, _, id = caller.via.partition(":")
        if caller.session is not None and kind == "key":
            key = await self._keys.get(id)
            if key is None or (state := key.state(self._clock())) != "good":
                raise NotSignedIn(f"the API key of this session is {state if key else 'gone'}: sign in again")


def _algorithm(token: str) -> object:
    try:
        return jwt.get_unverified_header(token).get("alg")
    except jwt.InvalidTokenError as error:
        raise NotSignedIn(f"the token can't be read ({error}): sign in again") from error
