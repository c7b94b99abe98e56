"""Access tokens of Microsoft Entra ID (v2.0), verified by the tenant's public keys."""

from datetime import timedelta
from typing import Any

import jwt

from serving.access.caller import Caller, NotAllowed, NotSignedIn, Permission, permissions_of
from serving.access.settings import EntraSettings
from serving.access.signing_keys import SigningKeys

ALGORITHM = "RS256"
LEEWAY = timedelta(seconds=30)
_CLAIMS = ["iss", "aud", "exp", "nbf", "tid", "oid"]


class EntraTokens:
    """Of one tenant, for one application."""

    def __init__(self, settings: EntraSettings, keys: SigningKeys) -> None:
        self._settings = settings
        self._keys = keys

    async def caller(self, token: str) -> Caller:
        """Raises NotSignedIn, NotAllowed for who has no role here, and SigningKeysUnavailable."""
        claims = await self._verified(token)
        if claims["tid"] != self._settings.tenant:
            raise _invalid(f"it is of tenant {claims['tid']!r}")
        permissions = self._permissions(claims)
        if not permissions:
            raise NotAllowed(
                f"{claims.get('preferred_username') or claims['oid']} has no role in this application: "
                "ask an administrator to assign one"
            )
        return Caller(str(claims["oid"]), permissions, via="entra")

    def _permissions(self, claims: dict[str, Any]) -> frozenset[Permission]:
        roles = claims.get("roles", [])
        if not isinstance(roles, list):
            raise _invalid("its roles are not a list")
        return permissions_of([str(role) for role in roles] or self._settings.default_roles)

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            id = header.get("kid")
            key = await self._keys.key(id) if isinstance(id, str) else None
            if key is None:
                raise _invalid("the key it is signed with is not the issuer's")
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                [ALGORITHM],
                audience=self._settings.audiences,
                issuer=self._settings.issuer,
                leeway=LEEWAY,
                options={"require": _CLAIMS},
            )
        except jwt.ExpiredSignatureError as error:
            raise NotSignedIn("the Entra token has expired: sign in again") from error
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, TypeError, ValueError) as error:
            raise _invalid(str(error)) from error
        return claims


def _invalid(why: str) -> NotSignedIn:
    return NotSignedIn(f"the Entra token is not valid ({why}): sign in again")
