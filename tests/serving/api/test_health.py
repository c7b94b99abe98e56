import httpx
import pytest

from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from tests.serving.build import NOW, served


async def test_a_process_that_answers_is_alive(empty: httpx.AsyncClient) -> None:
    assert (await empty.get("/healthz")).json() == {"status": "ok"}


async def test_it_is_ready_with_a_champion_and_a_worker(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "version": "1", "waiting": 0})


async def test_without_a_champion_it_says_what_is_missing(empty: httpx.AsyncClient) -> None:
    response = await empty.get("/readyz")
    assert (response.status_code, response.json()["type"]) == (503, "no-champion")


async def test_a_worker_that_went_silent_is_missed(empty: httpx.AsyncClient, database: Database) -> None:
    await SqlServedVersions(database).put(served(at=NOW.replace(year=2020)))
    response = await empty.get("/readyz")
    assert (response.status_code, response.json()["type"]) == (503, "no-worker")
    assert "start one with `copydesk worker`" in response.json()["detail"]


async def test_a_failure_nobody_foresaw_is_logged_and_told_without_its_insides(
    empty: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("DROP TABLE served_versions")
    response = await empty.get("/api/v1/versions")
    assert (response.status_code, response.json()["type"]) == (500, "internal-error")
    assert "served_versions" not in response.text
    assert "GET /api/v1/versions failed" in caplog.text
