"""Who may open which page, and what the cookie is good for."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from serving.access.caller import Role
from serving.adapters.database import Database
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_versions import SqlServedVersions
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.serving.api.test_access import SIGN_IN, key_of
from tests.serving.build import ROOT, served
from tests.serving.conftest import api_client

HTML = {"Accept": "text/html"}


@pytest.fixture
async def closed(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    await SqlServedVersions(database).put(served(at=utc_now()))
    async with api_client(settings, SIGN_IN) as client:
        client.headers.update(HTML)
        yield client


async def signed_in(client: httpx.AsyncClient, database: Database, role: Role, user: str = "") -> httpx.Response:
    key = (await key_of(database, role, user))["Authorization"].removeprefix("Bearer ")
    return await client.post("/sign-in", data={"key": f" {key} ", "next": "/guidelines"})


async def test_a_browser_is_sent_to_sign_in_and_comes_back(closed: httpx.AsyncClient, database: Database) -> None:
    sent = await closed.get("/runs?channel=word")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/runs%3Fchannel%3Dword")
    form = await closed.get(sent.headers["location"])
    assert '<input type="hidden" name="next" value="/runs?channel=word">' in form.text
    begun = await signed_in(closed, database, Role.ANALYST, "noor")
    assert (begun.status_code, begun.headers["location"]) == (303, "/guidelines")
    page = await closed.get("/runs")
    assert (page.status_code, '<span class="who">noor</span>' in page.text) == (200, True)


async def test_the_cookie_is_kept_from_scripts_and_other_sites(closed: httpx.AsyncClient, database: Database) -> None:
    plain = (await signed_in(closed, database, Role.ANALYST)).headers["set-cookie"]
    assert re.match(r"copydesk-pages=[^;]+; HttpOnly; Max-Age=3600; Path=/; SameSite=strict$", plain)
    closed.headers["X-Forwarded-Proto"] = "https"
    over_tls = (await signed_in(closed, database, Role.ANALYST)).headers["set-cookie"]
    assert over_tls.startswith("__Host-copydesk-pages=")
    assert over_tls.endswith("; Secure")


async def test_the_cookie_changes_nothing_and_is_no_credential_of_the_api(
    closed: httpx.AsyncClient, database: Database
) -> None:
    await signed_in(closed, database, Role.ADMIN)
    assert (await closed.get("/admin")).status_code == 200
    token = closed.cookies["copydesk-pages"]
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        answers = [
            await closed.get("/api/v1/admin/audit", headers=headers),
            await closed.put("/api/v1/admin/drain", json={"reason": "x"}, headers=headers),
            await closed.post("/api/v1/session", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 401]


async def test_a_session_of_the_api_is_no_cookie_of_the_pages(closed: httpx.AsyncClient, database: Database) -> None:
    begun = await closed.post("/api/v1/session", headers=await key_of(database, Role.ADMIN))
    closed.cookies.set("copydesk-pages", begun.json()["token"])
    assert (await closed.get("/admin")).status_code == 303


async def test_signing_out_ends_the_session_for_a_copy_too(closed: httpx.AsyncClient, database: Database) -> None:
    await signed_in(closed, database, Role.ADMIN)
    copy = closed.cookies["copydesk-pages"]
    out = await closed.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert "copydesk-pages" not in closed.cookies
    closed.cookies.set("copydesk-pages", copy)
    assert (await closed.get("/admin")).status_code == 303


async def test_a_revoked_key_ends_its_pages(closed: httpx.AsyncClient, database: Database) -> None:
    await signed_in(closed, database, Role.ANALYST)
    (key,) = await SqlApiKeys(database).all()
    await SqlApiKeys(database).revoke(key.id, ROOT, utc_now())
    assert (await closed.get("/runs")).status_code == 303


@pytest.mark.parametrize("key", ["", "hunter2", "cdk_0123_no", f"cdk_{'x' * 400}"])
async def test_a_wrong_key_is_told_and_not_repeated(closed: httpx.AsyncClient, key: str) -> None:
    page = await closed.post("/sign-in", data={"key": key})
    assert (page.status_code, "set-cookie" in page.headers) == (401, False)
    assert 'role="alert"' in page.text
    assert not key or key not in page.text


@pytest.mark.parametrize(
    "next",
    ["https://evil.example/", "//evil.example/runs", "/\\evil.example", "/api/v1/session", "javascript:alert(1)"],
)
async def test_nobody_is_sent_elsewhere(closed: httpx.AsyncClient, database: Database, next: str) -> None:
    key = (await key_of(database, Role.ANALYST))["Authorization"].removeprefix("Bearer ")
    begun = await closed.post("/sign-in", data={"key": key, "next": next})
    assert begun.headers["location"] == "/runs"


async def test_a_page_of_another_site_signs_nobody_in(closed: httpx.AsyncClient, database: Database) -> None:
    closed.headers["Sec-Fetch-Site"] = "cross-site"
    assert (await signed_in(closed, database, Role.ADMIN)).status_code == 403
    assert not closed.cookies


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.EDITOR, ["/guidelines", "/promotions", "/status"]),
        (Role.ANALYST, ["/runs", "/guidelines", "/promotions", "/status"]),
        (Role.GUIDELINE_OWNER, ["/runs", "/guidelines", "/promotions", "/status"]),
        (Role.ADMIN, ["/runs", "/guidelines", "/promotions", "/status", "/admin"]),
    ],
)
async def test_each_role_sees_its_pages(
    closed: httpx.AsyncClient, database: Database, role: Role, allowed: list[str]
) -> None:
    await signed_in(closed, database, role)
    pages = ["/runs", "/guidelines", "/promotions", "/status", "/admin"]
    answers = {page: await closed.get(page) for page in pages}
    assert [page for page in pages if answers[page].status_code == 200] == allowed
    for page in set(pages) - set(allowed):
        assert answers[page].status_code == 403
        assert "this needs the permission" in answers[page].text
    for answer in answers.values():
        assert re.findall(r'<li><a href="(/[a-z]+)"', answer.text) == allowed


async def test_an_editor_sees_no_figures_over_everybody_s_articles(
    closed: httpx.AsyncClient, database: Database
) -> None:
    await signed_in(closed, database, Role.EDITOR)
    page = (await closed.get("/guidelines/plain-words")).text
    assert "need the permission “figures”" in page
    assert 'id="table-fared"' not in page
    assert "Raised" not in (await closed.get("/guidelines")).text


async def test_status_is_open_and_names_nobody(closed: httpx.AsyncClient) -> None:
    page = await closed.get("/status")
    assert page.status_code == 200
    assert re.findall(r'<li><a href="(/[a-z]+)"', page.text) == ["/guidelines", "/promotions", "/status"]
    assert (await closed.get("/status.json")).json()["version"] == "1"


async def test_without_sign_in_the_form_says_that_none_is_needed(client: httpx.AsyncClient) -> None:
    page = await client.get("/sign-in", headers=HTML)
    assert "Nobody has to sign in here" in page.text
    assert "<form" not in page.text


async def test_programs_get_a_problem_document(closed: httpx.AsyncClient) -> None:
    answer = await closed.get("/runs.json", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (401, "not-signed-in")
