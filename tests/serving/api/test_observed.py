"""Request ids, and requests by route."""

import logging
import re

import httpx
import pytest

from serving.adapters.database import Database
from serving.metrics import ApiMetrics
from tests.serving.build import TEXT

GENERATED = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("given", ["a", "import-17.3_x", "A" * 64])
async def test_a_sane_id_of_the_client_is_kept(empty: httpx.AsyncClient, given: str) -> None:
    response = await empty.get("/healthz", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", [b"", b"A" * 65, b"with space", b"-x", b"a\tb", b'a"b', b"\xfcnicode"])
async def test_any_other_is_replaced(empty: httpx.AsyncClient, given: bytes) -> None:
    response = await empty.get("/healthz", headers=[(b"X-Request-Id", given)])
    assert GENERATED.fullmatch(response.headers["X-Request-Id"])


async def test_a_trace_that_comes_in_goes_on(client: httpx.AsyncClient, database: Database) -> None:
    parent = f"00-{'ab' * 16}-{'cd' * 8}-00"
    sent = {"article": {"text": TEXT}}
    response = await client.post("/api/v1/compliance/check", json=sent, headers={"traceparent": parent})
    assert response.headers["X-Request-Id"] == "ab" * 16
    async with database.read() as connection:
        stored = (await connection.exec_driver_sql("SELECT trace_parent FROM jobs")).scalar_one()
    assert stored == parent


@pytest.mark.parametrize("path", ["/api/v1/jobs/none/status", "/nowhere", "/api/v1/jobs?limit=x"])
async def test_every_problem_names_its_request(empty: httpx.AsyncClient, path: str) -> None:
    response = await empty.get(path, headers={"X-Request-Id": "mine"})
    assert (response.status_code >= 400, response.json()["request_id"]) == (True, "mine")


async def test_a_failure_nobody_foresaw_names_its_request(
    empty: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("DROP TABLE evidence")
    with caplog.at_level(logging.ERROR):
        response = await empty.get("/api/v1/versions", headers={"X-Request-Id": "mine"})
    assert (response.json()["request_id"], response.headers["X-Request-Id"]) == ("mine", "mine")


async def counted(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """Requests by route, method and status."""
    line = r'_count\{method="(.*?)",route="(.*?)",service="api",status="(\d+)"\} (\S+)'
    found = re.findall(line, (await client.get("/metrics")).text)
    return {(route, method, status): float(count) for method, route, status, count in found}


async def test_requests_are_counted_by_the_template_and_never_by_the_path(client: httpx.AsyncClient) -> None:
    for id in ("one", "two"):
        await client.get(f"/api/v1/jobs/{id}/status")
        await client.get(f"/wp-admin/{id}")
    await client.request("BREW", "/api/v1/jobs")
    await client.get("/api/v1/jobs", headers={"Host": "elsewhere.example"})
    assert await counted(client) == {
        ("/api/v1/jobs/{job_id}/status", "GET", "404"): 2,
        ("unmatched", "GET", "404"): 2,
        ("/api/v1/jobs", "other", "405"): 1,
        ("unmatched", "GET", "403"): 1,
    }


async def test_an_answer_that_fails_is_counted(empty: httpx.AsyncClient, database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("DROP TABLE evidence")
    await empty.get("/api/v1/versions")
    assert await counted(empty) == {("/api/v1/versions", "GET", "500"): 1}


def test_a_route_is_cheap_to_count_again() -> None:
    metrics = ApiMetrics()
    for _ in range(3):
        metrics.answered("/", "GET", 200, 0.01)
    assert 'status="200"} 3.0' in metrics.text().decode()
