"""Static files over HTTP: what they say they are, and what may be kept."""

import gzip

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


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("pane.js", "text/javascript; charset=utf-8"),
        ("pane.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_says_what_it_is(client, name, media_type):
    answer = client.get(assets().url(name))
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_file_is_sent_small_to_who_can_read_it(client):
    small = client.get(assets().url("pane.js"), headers={"Accept-Encoding": "gzip, br"})
    plain = client.get(assets().url("pane.js"), headers={"Accept-Encoding": "identity"})
    assert (small.headers["content-encoding"], small.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in plain.headers
    assert small.content == plain.content == gzip.decompress(assets().by_name["pane.js"].gzipped)


def test_an_address_of_an_older_release_gets_todays_file_not_to_be_kept(client):
    answer = client.get("/static/0123456789ab/pane.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["nothing.js", "..%2Froutes.py", "sub%2Fpane.js"])
def test_other_files_are_not_found(client, name):
    assert client.get(f"/static/0123456789ab/{name}").status_code == 404
