"""The page and its files over HTTP: what may be kept, what may run."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.pages.assets import assets
from serving.pages.routes import router


@pytest.fixture
def client():
    app = FastAPI()
    app.include_router(router)
    return TestClient(app)


def test_the_page_runs_only_its_own_code(client):
    page = client.get("/")
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    )
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)


def test_the_page_is_asked_for_each_time_and_sent_once(client):
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_file_the_page_names_is_there_and_may_be_kept(client):
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text)
    answers = [client.get(name) for name in names]
    assert len(names) >= 5
    assert {(answer.status_code, answer.headers["cache-control"]) for answer in answers} == {
        (200, "public, max-age=31536000, immutable")
    }


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("main.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_says_what_it_is(client, name, media_type):
    assert client.get(assets().url(name)).headers["content-type"] == media_type


def test_an_address_of_an_older_release_gets_todays_file_not_to_be_kept(client):
    answer = client.get("/static/0123456789ab/main.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["nothing.js", "..%2Froutes.py", "sub%2Fmain.js"])
def test_other_files_are_not_found(client, name):
    assert client.get(f"/static/0123456789ab/{name}").status_code == 404
