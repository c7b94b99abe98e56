"""Who gets in and how often, over HTTP to a real process: limits that are exact, tokens that are none."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import jwt
import pytest

from serving.access.caller import Caller, Permission
from serving.access.sessions import LEEWAY, LIFE, Sessions
from serving.adapters.memory_revocations import MemoryRevocations
from serving.app import utc_now
from tests.serving.access.issuer import APPLICATION, TENANT, Issuer, issuer, new_key
from tests.serving.access.test_entra import changed_after_signing, signed_with_the_public_key, unsigned
from tests.serving.service import Service, service
from tests.serving.ticks import Turned

SECRET = "s" * 32
SESSION = "/api/v1/session"
LIMIT, REQUESTS, WINDOW_SECONDS = 500, 2000, 60

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def session_of(user: str, *, secret: str = SECRET, ago: timedelta = timedelta()) -> str:
    """A session's token as the service itself makes it."""
    caller = Caller(user, frozenset({Permission.CHECK}), via="entra")
    minting = Sessions((secret,), MemoryRevocations(Turned())).mint(caller, None, utc_now() - ago)
    return asyncio.run(minting).token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def all_at_once(port: int, users: dict[str, str]) -> Counter[tuple[str, int]]:
    """Requests of each user in turn, each on a connection of its own; how each was answered."""

    async def ask(user: str) -> tuple[str, int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = (
            f"GET {SESSION} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {users[user]}",
            "Connection: close",
        )
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = await reader.read()
        writer.close()
        return user, int(answer.split()[1])

    names = list(users)
    return Counter(await asyncio.gather(*(ask(names[number % len(names)]) for number in range(REQUESTS))))


@pytest.mark.parametrize("counted", ["redis", "memory"])
def test_of_two_thousand_requests_at_once_each_user_gets_exactly_what_is_theirs(
    request: pytest.FixtureRequest, tmp_path: Path, counted: str
) -> None:
    environment = {"JWT_SECRET_KEY": SECRET, "COPYDESK_ANSWER_SECONDS": "120"}
    if counted == "redis":
        environment["REDIS_CONNECTION_STRING"] = request.getfixturevalue("redis_url")
    with service(tmp_path, environment=environment) as running, running.api():
        for _ in range(3):  # a machine that is too busy to answer all of them within the minute counts on in the next
            users = {user: session_of(user) for user in (f"{name}-{secrets.token_hex(4)}" for name in ("ada", "bob"))}
            begun = time.monotonic()
            found = asyncio.run(all_at_once(running.port, users))
            if time.monotonic() - begun < WINDOW_SECONDS:
                break
    refused = REQUESTS // 2 - LIMIT
    assert found == {(user, status): count for user in users for status, count in ((200, LIMIT), (429, refused))}


@pytest.fixture(scope="module")
def entra() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, entra: Issuer) -> Iterator[Service]:
    environment = {
        "JWT_SECRET_KEY": SECRET,
        "COPYDESK_ENTRA_TENANT": TENANT,
        "COPYDESK_ENTRA_AUDIENCE": f'["{APPLICATION}"]',
        "COPYDESK_ENTRA_AUTHORITY": entra.authority,
    }
    with service(tmp_path_factory.mktemp("closed"), environment=environment) as running, running.api():
        yield running


@pytest.fixture
def client(closed: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{closed.port}", timeout=30) as client:
        yield client


def test_good_ones_get_in(client: httpx.Client, entra: Issuer) -> None:
    for token in (entra.token(), session_of("ada")):
        assert client.get(SESSION, headers=bearer(token)).status_code == 200


def session_claims(entra: Issuer) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(session_of("ada"), options={"verify_signature": False})
    return claims


BAD: dict[str, Callable[[Issuer], str]] = {
    "entra: unsigned": unsigned,
    "entra: signed with the public key as a secret": signed_with_the_public_key,
    "entra: changed after signing": changed_after_signing,
    "entra: forged": lambda entra: entra.token(key=new_key()),
    "entra: of a key nobody published": lambda entra: entra.token(kid="mine", key=new_key()),
    "entra: expired": lambda entra: entra.token(exp=1),
    "entra: of the future": lambda entra: entra.token(nbf=9_999_999_999),
    "entra: for another application": lambda entra: entra.token(aud="api://another"),
    "entra: of another tenant": lambda entra: entra.token(tid="another"),
    "entra: of another issuer": lambda entra: entra.token(iss="https://login.example/v2.0"),
    "session: forged": lambda _: session_of("ada", secret="f" * 32),
    "session: expired": lambda _: session_of("ada", ago=LIFE + 2 * LEEWAY),
    "session: unsigned": lambda entra: jwt.encode(session_claims(entra), "", "none"),
    "session: for another service": lambda entra: jwt.encode(session_claims(entra) | {"aud": "x"}, SECRET, "HS256"),
    "session: without an end": lambda entra: jwt.encode(
        {name: value for name, value in session_claims(entra).items() if name != "exp"}, SECRET, "HS256"
    ),
    "key: made up": lambda _: f"cdk_{'0' * 12}_{'x' * 43}",
    "no token": lambda _: "a.b.c",
    "too long": lambda _: "x" * 20_000,
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_credential_gets_nowhere(client: httpx.Client, entra: Issuer, name: str) -> None:
    refused = client.get(SESSION, headers=bearer(BAD[name](entra)))
    assert (refused.status_code, refused.json()["type"]) == (401, "not-signed-in")
    assert set(refused.json()) == {"type", "title", "status", "detail", "request_id"}


def test_a_token_is_not_good_again_after_its_session_was_refreshed_or_ended(client: httpx.Client) -> None:
    """Replays: of the one request that may be made once, and of a session that was left."""
    refresh = partial(client.post, SESSION, headers=bearer(session_of("ada")))
    following = bearer(refresh().json()["token"])
    assert client.get(SESSION, headers=following).status_code == 200
    assert [refresh().status_code, client.get(SESSION, headers=following).status_code] == [401, 401]
    left = bearer(session_of("ada"))
    assert client.delete(SESSION, headers=left).status_code == 204
    assert [client.get(SESSION, headers=left).status_code, client.delete(SESSION, headers=left).status_code] == [
        401
    ] * 2
