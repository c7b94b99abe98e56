"""The editor page and the task pane over HTTP: what may run in them, and who may show them."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.access.settings import AccessSettings
from serving.addin.place import place_of
from serving.addin.routes import router
from serving.pages.routes import router as pages
from serving.settings import ServingSettings

ENTRA = AccessSettings(
    jwt_secret_key="s" * 32,
    entra_tenant="t",
    entra_audience=("api://copydesk",),
    entra_client="c",
    entra_scope="api://copydesk/checks.submit",
    msal_url="https://cdn.house.example/msal.js",
)


def client_of(access: AccessSettings) -> TestClient:
    app = FastAPI()
    app.include_router(router)
    app.include_router(pages)
    app.state.place = place_of(ServingSettings(frame_ancestors=("'self'", "https://*.office.com")), access)
    return TestClient(app)


@pytest.fixture
def client():
    return client_of(AccessSettings())


def test_the_editor_page_runs_only_its_own_code_and_stands_in_no_frame(client):
    page = client.get("/")
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    )
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
    assert "appsforoffice" not in page.text


def test_the_task_pane_takes_offices_library_and_stands_in_words_frames(client):
    page = client.get("/addin/taskpane.html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self' https://appsforoffice.microsoft.com; " in policy
    assert "frame-ancestors 'self' https://*.office.com; " in policy
    assert '<script src="https://appsforoffice.microsoft.com/lib/1/hosted/office.js">' in page.text
    assert "x-frame-options" not in page.headers


@pytest.mark.parametrize("path", ["/", "/addin/taskpane.html", "/addin/help.html"])
def test_a_page_is_asked_for_each_time_and_sent_once(client, path):
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/addin/taskpane.html", "/addin/help.html"])
def test_every_file_a_page_names_is_there_and_may_be_kept(client, path):
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get(path).text)
    answers = [client.get(name) for name in names]
    assert len(names) >= 3
    assert {(answer.status_code, answer.headers["cache-control"]) for answer in answers} == {
        (200, "public, max-age=31536000, immutable")
    }


@pytest.mark.parametrize(
    ("access", "auth"),
    [
        (AccessSettings(), "none"),
        (AccessSettings(jwt_secret_key="s" * 32), "key"),
        (ENTRA.model_copy(update={"msal_url": ""}), "key"),
        (ENTRA, "entra"),
    ],
    ids=["loopback", "trials", "Entra without its library", "Entra"],
)
def test_the_pane_is_told_how_to_sign_in(access, auth):
    assert client_of(access).get("/addin/settings.json").json()["auth"] == auth


def test_microsofts_sign_in_is_let_in_only_where_it_is_used():
    client = client_of(ENTRA)
    assert client.get("/addin/settings.json").json() == {
        "auth": "entra",
        "client": "c",
        "authority": "https://login.microsoftonline.com/t",
        "scope": "api://copydesk/checks.submit",
        "msal": "https://cdn.house.example/msal.js",
    }
    policy = client.get("/addin/taskpane.html").headers["content-security-policy"]
    assert "script-src 'self' https://appsforoffice.microsoft.com https://cdn.house.example; " in policy
    assert "connect-src 'self' https://login.microsoftonline.com; " in policy
