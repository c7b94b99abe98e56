"""Every route has a rule, and every rule keeps out whom it should."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from pipelines.keys import revoke as revoke_by_command
from serving.access.api_keys import new_key
from serving.access.caller import ROLES, Permission, Role
from serving.access.sessions import ENDED
from serving.access.settings import AccessSettings
from serving.adapters.database import Database
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_versions import SqlServedVersions
from serving.api.access import RULES, Anyone
from serving.app import create_app, utc_now
from serving.settings import ServingSettings
from tests.serving.access.issuer import APPLICATION, TENANT, Issuer, issuer
from tests.serving.build import ROOT, TEXT, served
from tests.serving.conftest import OPEN, api_client

SIGN_IN = AccessSettings(jwt_secret_key="s" * 32)
BODY = {"article": {"text": TEXT}}


async def key_of(database: Database, role: Role, user: str = "") -> dict[str, str]:
    """The header of somebody with a role."""
    key, text = new_key(
        user=user or role.value, name="test", scopes=ROLES[role], by="root", now=utc_now(), expires=None
    )
    await SqlApiKeys(database).add(key, ROOT)
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
async def closed(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API with sign-in, without a credential."""
    await SqlServedVersions(database).put(served(at=utc_now()))
    async with api_client(settings, SIGN_IN) as client:
        yield client


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    routes = iter_route_contexts(create_app(ServingSettings(), OPEN).routes)
    assert set(RULES) == {f"{method} {route.path}" for route in routes for method in route.methods or ()}


@pytest.mark.parametrize(
    "route", sorted(name for name, rule in RULES.items() if rule not in (Anyone.OPEN, Anyone.REGISTRY))
)
async def test_nobody_unknown_gets_anything(closed: httpx.AsyncClient, route: str) -> None:
    method, _, path = route.partition(" ")
    response = await closed.request(method, path.format(job_id="a", batch_id="a", finding="f", id=1))
    assert (response.status_code, response.json()["type"]) == (401, "not-signed-in")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="copydesk"'


@pytest.mark.parametrize("role", Role)
async def test_each_role_gets_what_it_may(closed: httpx.AsyncClient, database: Database, role: Role) -> None:
    headers = await key_of(database, role)
    refused = set()
    for route, rule in RULES.items():
        if isinstance(rule, Permission):
            method, _, path = route.partition(" ")
            response = await closed.request(
                method, path.format(job_id="a", batch_id="a", finding="f", id=1), headers=headers
            )
            if response.status_code == 403 and response.json()["type"] == "not-allowed":
                refused.add(route)
    assert refused == {r for r, rule in RULES.items() if isinstance(rule, Permission) and rule not in ROLES[role]}


async def test_somebody_else_s_job_is_not_found(closed: httpx.AsyncClient, database: Database) -> None:
    ada, eve = await key_of(database, Role.EDITOR, "ada"), await key_of(database, Role.ADMIN, "eve")
    job = (await closed.post("/api/v1/compliance/check", json=BODY, headers=ada)).json()["job_id"]
    paths = (
        f"/api/v1/jobs/{job}/status",
        f"/api/v1/jobs/{job}/result",
        f"/api/v1/jobs/{job}/events",
        f"/jobs/{job}/status",
    )
    assert [(await closed.get(path, headers=eve)).status_code for path in paths] == [404] * 4
    assert (await closed.delete(f"/api/v1/jobs/{job}", headers=eve)).status_code == 404
    assert (await closed.get("/api/v1/jobs", headers=eve)).json()["jobs"] == []
    listed = (await closed.get("/api/v1/jobs", headers=ada)).json()["jobs"]
    assert [found["job_id"] for found in listed] == [job]


async def test_a_session_is_begun_with_a_key_refreshed_and_ended(closed: httpx.AsyncClient, database: Database) -> None:
    key = await key_of(database, Role.GUIDELINE_OWNER, "ada")
    begun = await closed.post("/api/v1/session", json={"scopes": ["check", "administer"]}, headers=key)
    made = begun.json()
    assert (begun.status_code, made["user"], made["scopes"], made["expires_in"]) == (201, "ada", ["check"], 900)
    assert begun.headers["Cache-Control"] == "no-store"
    session = {"Authorization": f"Bearer {made['token']}"}
    assert (await closed.get("/api/v1/versions", headers=session)).status_code == 200
    following = (await closed.post("/api/v1/session", headers=session)).json()["token"]
    ended = {"Authorization": f"Bearer {following}"}
    assert (await closed.delete("/api/v1/session", headers=ended)).status_code == 204
    assert (await closed.get("/api/v1/versions", headers=ended)).json()[
        "detail"
    ] == "this session was ended: sign in again"


async def test_a_session_that_is_ended_is_refused_in_all_processes_and_no_other_one_is(
    settings: ServingSettings, database: Database, redis_url: str
) -> None:
    shared = settings.model_copy(update={"redis_connection_string": redis_url})
    key = await key_of(database, Role.EDITOR)
    async with api_client(shared, SIGN_IN) as one, api_client(shared, SIGN_IN) as other:
        begun = [(await one.post("/api/v1/session", headers=key)).json()["token"] for _ in range(2)]
        sessions = [{"Authorization": f"Bearer {token}"} for token in begun]
        await one.delete("/api/v1/session", headers=sessions[0])
        answers = [(await other.get("/api/v1/session", headers=session)).status_code for session in sessions]
    assert answers == [401, 200]


async def test_revoking_a_key_by_command_ends_its_sessions_in_all_processes(
    settings: ServingSettings, database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = settings.model_copy(update={"redis_connection_string": redis_url})
    monkeypatch.setenv("COPYDESK_HOME", str(settings.home))
    monkeypatch.setenv("DB_CONNECTION_STRING", settings.db_connection_string)
    monkeypatch.setenv("REDIS_CONNECTION_STRING", redis_url)
    keys = [await key_of(database, Role.EDITOR, user) for user in ("ada", "bob")]
    async with api_client(shared, SIGN_IN) as one, api_client(shared, SIGN_IN) as other:
        begun = [(await one.post("/api/v1/session", headers=key)).json() for key in keys]
        ada, bob = ({"Authorization": f"Bearer {session['token']}"} for session in begun)
        before = [(await process.get("/api/v1/jobs", headers=ada)).status_code for process in (one, other)]
        via = (await one.get("/api/v1/session", headers=ada)).json()["via"]
        await asyncio.to_thread(revoke_by_command, via.removeprefix("key:"))
        after = [await process.get("/api/v1/jobs", headers=ada) for process in (one, other)]
        others = [(await process.get("/api/v1/jobs", headers=bob)).status_code for process in (one, other)]
    assert (before, [answer.status_code for answer in after], others) == ([200, 200], [401, 401], [200, 200])
    assert {answer.json()["detail"] for answer in after} == {ENDED}


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/jobs/none/status"])
async def test_an_ended_session_is_refused_and_takes_its_user_no_requests(
    settings: ServingSettings, database: Database, redis_url: str, path: str
) -> None:
    """One in each process, which learns of the end with the first."""
    limit = 10
    shared = settings.model_copy(update={"redis_connection_string": redis_url, "user_requests_per_minute": limit})
    key = await key_of(database, Role.EDITOR, secrets.token_hex(8))
    async with api_client(shared, SIGN_IN) as one, api_client(shared, SIGN_IN) as other:
        token = (await one.post("/api/v1/session", headers=key)).json()["token"]
        ended = {"Authorization": f"Bearer {token}"}
        await one.delete("/api/v1/session", headers=ended)
        refused = [await other.get(path, headers=ended) for _ in range(2 * limit)]
        left = (await other.get("/api/v1/jobs", headers=key)).headers["ratelimit"]
    told = {(answer.status_code, answer.json()["detail"]) for answer in refused}
    assert told == {(401, "this session was ended: sign in again")}
    assert left.startswith(f'"default";r={limit - 4};')  # begun, ended, refused once, asked by key


async def test_who_has_ended_the_session_is_told_so_also_over_the_limit(
    settings: ServingSettings, database: Database, redis_url: str
) -> None:
    shared = settings.model_copy(update={"redis_connection_string": redis_url, "user_requests_per_minute": 2})
    key = await key_of(database, Role.EDITOR, secrets.token_hex(8))
    async with api_client(shared, SIGN_IN) as one, api_client(shared, SIGN_IN) as other:
        token = (await one.post("/api/v1/session", headers=key)).json()["token"]
        ended = {"Authorization": f"Bearer {token}"}
        await one.delete("/api/v1/session", headers=ended)
        for path in ("/api/v1/jobs/none/status", "/api/v1/jobs"):
            assert (await other.get(path, headers=ended)).status_code == 401
        assert (await other.get("/api/v1/jobs", headers=key)).status_code == 429


async def test_a_session_of_a_revoked_key_is_not_refreshed_without_redis(
    closed: httpx.AsyncClient, database: Database
) -> None:
    key = await key_of(database, Role.EDITOR)
    begun = (await closed.post("/api/v1/session", headers=key)).json()
    session = {"Authorization": f"Bearer {begun['token']}"}
    shown = (await closed.get("/api/v1/session", headers=session)).json()
    await SqlApiKeys(database).revoke(shown["via"].removeprefix("key:"), ROOT, utc_now())
    refreshed = await closed.post("/api/v1/session", headers=session)
    assert (refreshed.status_code, refreshed.json()["detail"]) == (
        401,
        "the API key of this session is revoked: sign in again",
    )


async def test_without_sign_in_everybody_is_the_local_user(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/api/v1/session")).json()
    assert (shown["user"], shown["via"], shown["expires"]) == ("local", "none", None)
    begun = await client.post("/api/v1/session")
    assert (begun.status_code, begun.json()["type"]) == (409, "no-session")


@pytest.fixture(scope="module")
def entra() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


async def test_an_entra_token_is_good_by_itself_and_for_a_session(
    settings: ServingSettings, database: Database, entra: Issuer
) -> None:
    await SqlServedVersions(database).put(served(at=utc_now()))
    access = AccessSettings(
        jwt_secret_key="s" * 32, entra_tenant=TENANT, entra_audience=(APPLICATION,), entra_authority=entra.authority
    )
    async with api_client(settings, access, entra.token(roles=["analyst"])) as client:
        assert (await client.get("/api/v1/versions")).status_code == 200
        assert (await client.post("/api/v1/compliance/check", json=BODY)).status_code == 403
        token = (await client.post("/api/v1/session")).json()["token"]
        session = (await client.get("/api/v1/session", headers={"Authorization": f"Bearer {token}"})).json()
        forged = await client.get("/api/v1/session", headers={"Authorization": f"Bearer {entra.token(aud='other')}"})
    assert (session["scopes"], session["via"]) == (["figures"], "entra")
    assert (forged.status_code, forged.json()["type"]) == (401, "not-signed-in")


async def test_a_token_of_unreadable_size_is_refused(closed: httpx.AsyncClient) -> None:
    response = await closed.get("/api/v1/versions", headers={"Authorization": f"Bearer {'x' * 20_000}"})
    assert (response.status_code, "more than 16000 are not read" in response.json()["detail"]) == (401, True)


async def test_users_are_counted_apart(settings: ServingSettings, database: Database) -> None:
    await SqlServedVersions(database).put(served(at=utc_now()))
    ada, bob = await key_of(database, Role.EDITOR, "ada"), await key_of(database, Role.EDITOR, "bob")
    async with api_client(settings.model_copy(update={"user_requests_per_minute": 2}), SIGN_IN) as client:
        answers = [(await client.get("/api/v1/versions", headers=who)).status_code for who in (ada, ada, ada, bob)]
    assert answers == [200, 200, 429, 200]


async def test_keys_expire(closed: httpx.AsyncClient, database: Database) -> None:
    key, text = new_key(
        user="ada",
        name="old",
        scopes=ROLES[Role.EDITOR],
        by="root",
        now=utc_now(),
        expires=utc_now() - timedelta(days=1),
    )
    await SqlApiKeys(database).add(key, ROOT)
    response = await closed.get("/api/v1/versions", headers={"Authorization": f"Bearer {text}"})
    assert (response.status_code, response.json()["detail"].rpartition(" is ")[2]) == (401, "expired: ask for another")
