"""Tokens of an issuer that the test runs: which are good, and every way to be wrong."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from serving.access.caller import Caller, NotAllowed, NotSignedIn, Permission
from serving.access.entra import EntraTokens
from serving.access.settings import MAY_BE_EVERYBODY_S, AccessSettings, UnsafeSignIn
from serving.access.signing_keys import COOLDOWN_SECONDS, FRESH_SECONDS, SigningKeys, SigningKeysUnavailable
from tests.serving.access.issuer import ADA, APPLICATION, TENANT, Issuer, issuer, new_key
from tests.serving.ticks import Turned


@pytest.fixture
def entra() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture
def ticks() -> Turned:
    return Turned()


@pytest.fixture
def tokens(entra: Issuer, ticks: Turned) -> EntraTokens:
    return tokens_of(entra, ticks)


def tokens_of(entra: Issuer, ticks: Turned, **settings: Any) -> EntraTokens:
    given = AccessSettings(
        entra_tenant=TENANT, entra_audience=(APPLICATION,), entra_authority=entra.authority, **settings
    ).entra
    assert given
    return EntraTokens(given, SigningKeys(given.keys, ticks))


async def test_a_good_token_says_who_asks_and_what_they_may_do(entra: Issuer, tokens: EntraTokens) -> None:
    caller = await tokens.caller(entra.token(roles=["editor", "analyst", "somebody-else-s-role"]))
    assert caller == Caller(ADA, frozenset({Permission.CHECK, Permission.FIGURES}), via="entra")


def unsigned(entra: Issuer) -> str:
    return jwt.encode(entra.claims(), "", "none", headers={"kid": "first"})


def signed_with_the_public_key(entra: Issuer) -> str:
    """HS256, with the public key as the secret: what a verifier that believes the header would accept."""
    parts = ({"alg": "HS256", "typ": "JWT", "kid": "first"}, entra.claims())
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = hmac.new(entra.public_pem(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def changed_after_signing(entra: Issuer) -> str:
    head, _, signature = entra.token().split(".")
    body = json.dumps(entra.claims(roles=["admin"])).encode()
    return f"{head}.{base64.urlsafe_b64encode(body).rstrip(b'=').decode()}.{signature}"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (unsigned, "the specified alg value is not allowed"),
        (signed_with_the_public_key, "the specified alg value is not allowed"),
        (changed_after_signing, "signature verification failed"),
        (lambda entra: entra.token(key=new_key()), "signature verification failed"),
        (lambda entra: entra.token(kid="other", key=new_key()), "the key it is signed with is not the issuer's"),
        (lambda entra: entra.token(exp=1), "has expired"),
        (lambda entra: entra.token(nbf=9_999_999_999), "not yet valid"),
        (lambda entra: entra.token(aud="api://another"), "audience"),
        (lambda entra: entra.token(aud=None), '"aud"'),
        (lambda entra: entra.token(iss="https://login.example/v2.0"), "issuer"),
        (lambda entra: entra.token(tid="another"), "of tenant 'another'"),
        (lambda entra: entra.token(oid=None), '"oid"'),
        (lambda entra: entra.token(exp=None), '"exp"'),
        (lambda entra: entra.token(roles="admin"), "roles are not a list"),
        (lambda _: "a.b.c", "not valid"),
    ],
)
async def test_a_bad_token_is_refused(
    entra: Issuer, tokens: EntraTokens, made: Callable[[Issuer], str], says: str
) -> None:
    with pytest.raises(NotSignedIn) as refused:
        await tokens.caller(made(entra))
    assert says.lower() in str(refused.value).lower()


async def test_who_has_no_role_is_told_so_unless_there_is_a_default(entra: Issuer, ticks: Turned) -> None:
    with pytest.raises(NotAllowed, match="has no role in this application"):
        await tokens_of(entra, ticks).caller(entra.token(roles=None))
    caller = await tokens_of(entra, ticks, entra_default_roles=("editor",)).caller(entra.token(roles=None))
    assert caller.permissions == {Permission.CHECK}


async def test_a_new_key_is_fetched_and_an_old_one_is_forgotten(
    entra: Issuer, tokens: EntraTokens, ticks: Turned
) -> None:
    old = entra.token()
    await tokens.caller(old)
    entra.keys = {"second": new_key()}
    ticks.now += COOLDOWN_SECONDS
    await tokens.caller(entra.token(kid="second"))
    with pytest.raises(NotSignedIn, match="not the issuer's"):
        await tokens.caller(old)


async def test_made_up_keys_do_not_make_us_ask_again_and_again(
    entra: Issuer, tokens: EntraTokens, ticks: Turned
) -> None:
    await tokens.caller(entra.token())
    ticks.now += COOLDOWN_SECONDS
    for number in range(5):
        with pytest.raises(NotSignedIn):
            await tokens.caller(entra.token(kid=f"made-up-{number}", key=new_key()))
    assert entra.asked == 2


async def test_known_keys_stay_good_while_the_issuer_is_away(entra: Issuer, ticks: Turned) -> None:
    known, unknown = tokens_of(entra, ticks), tokens_of(entra, ticks)
    await known.caller(entra.token())
    entra.down = True
    ticks.now += FRESH_SECONDS + 1
    assert (await known.caller(entra.token())).user == ADA
    with pytest.raises(SigningKeysUnavailable, match="can't be fetched"):
        await unknown.caller(entra.token())


async def test_nobody_with_a_known_key_waits_for_an_issuer_that_hangs(
    entra: Issuer, tokens: EntraTokens, ticks: Turned
) -> None:
    await tokens.caller(entra.token())
    entra.answering.clear()
    ticks.now += FRESH_SECONDS + 1
    async with asyncio.timeout(4):  # the issuer itself is given five seconds
        assert [(await tokens.caller(entra.token())).user for _ in range(3)] == [ADA] * 3
    entra.answering.set()
    with pytest.raises(NotSignedIn):  # waits for the keys that are being fetched
        await tokens.caller(entra.token(kid="made-up", key=new_key()))
    assert entra.asked == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"entra_tenant": TENANT}, "needed together"),
        ({"entra_audience": ("x",)}, "needed together"),
        ({"entra_authority": "http://login.example"}, "its keys must come over https"),
        ({"entra_default_roles": ("editor", "admin")}, "make everybody in the tenant admin: leave editor and analyst"),
        ({"entra_default_roles": ("ml-engineer",)}, "make everybody in the tenant ml-engineer"),
        ({"entra_default_roles": ("guideline-owner", "admin")}, "in the tenant guideline-owner and admin"),
        ({"jwt_secret_key": "short"}, "a secret of 5 bytes: at least 32"),
        ({"jwt_secret_key": f"{'x' * 40} short"}, "a secret of 5 bytes"),
    ],
)
def test_sign_in_that_keeps_nobody_out_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UnsafeSignIn, match=says):
        AccessSettings(**given)


def test_everybody_in_the_tenant_may_be_an_editor_and_an_analyst() -> None:
    assert AccessSettings(entra_default_roles=("editor", "analyst")).entra_default_roles == MAY_BE_EVERYBODY_S
