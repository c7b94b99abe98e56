"""What went wrong, told to browsers by a page and to programs by a problem document."""

import httpx
import pytest


@pytest.mark.parametrize(("accept", "shown"), [("text/html", "text/html"), ("*/*", "application/problem+json")])
async def test_what_nobody_foresaw_is_logged_and_told_in_the_readers_way(
    accept: str,
    shown: str,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("serving.pages.wording.when", broken)
    answer = await client.get("/status", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (500, shown)
    assert answer.headers["x-request-id"] in answer.text
    [record] = [record for record in caplog.records if "GET /status failed" in record.message]
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    ("path", "status", "way"),
    [
        ("/guidelines/gone", 404, '<a href="/guidelines">Go to Guidelines</a>'),
        ("/runs?a_from=soon", 400, '<a href="/runs">Go to Runs</a>'),
        ("/nothing/here", 404, '<a href="/">Check an article</a>'),
    ],
)
async def test_a_failure_leads_on(client: httpx.AsyncClient, path: str, status: int, way: str) -> None:
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, way in answer.text) == (status, True)


@pytest.mark.parametrize(("path", "accept"), [("/nothing/here", "application/json"), ("/api/v1/nothing", "text/html")])
async def test_programs_are_told_of_an_unknown_path_in_a_problem(
    client: httpx.AsyncClient, path: str, accept: str
) -> None:
    answer = await client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.json()["type"]) == (404, "not-found")
