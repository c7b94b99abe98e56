from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import open_worker_stores
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.redis_server import redis_server
from tests.serving.build import NOW, served
from tests.serving.conftest import api_client
from tests.waiting import soon


async def test_a_process_that_answers_is_alive(empty: httpx.AsyncClient) -> None:
    assert (await empty.get("/healthz")).json() == {"status": "ok"}


async def test_it_is_ready_with_a_champion_and_a_worker(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    up = {"up": True, "needed": True, "reason": None}
    assert (response.status_code, response.json()) == (
        200,
        {
            "status": "ready",
            "version": "1",
            "waiting": 0,
            "dependencies": {"database": up, "worker": up, "blobs": up},
            "degraded": [],
        },
    )


async def test_without_a_champion_it_says_what_is_missing(empty: httpx.AsyncClient) -> None:
    response = await empty.get("/readyz")
    assert (response.status_code, response.json()["type"]) == (503, "no-champion")


async def test_a_worker_that_went_silent_is_missed(empty: httpx.AsyncClient, database: Database) -> None:
    await SqlServedVersions(database).put(served(at=NOW.replace(year=2020)))
    response = await empty.get("/readyz")
    assert (response.status_code, response.json()["type"]) == (503, "no-worker")
    assert "start one with `copydesk worker`" in response.json()["detail"]


async def test_what_is_not_ready_stands_beside_what_is(empty: httpx.AsyncClient) -> None:
    told = (await empty.get("/readyz")).json()
    assert {name: each["up"] for name, each in told["dependencies"].items()} == {
        "database": True,
        "worker": False,
        "blobs": True,
    }
    assert told["dependencies"]["worker"]["reason"] == told["detail"]


async def test_without_redis_it_is_ready_and_says_what_is_missed(settings: ServingSettings, tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        shared = settings.model_copy(update={"redis_connection_string": url})
        async with api_client(shared) as client, open_worker_stores(shared, utc_now) as stores:
            await SqlServedVersions(stores.database).put(served(at=utc_now()))
            assert (await client.get("/readyz")).json()["degraded"] == []
            stop(url)

            async def missed() -> httpx.Response | None:
                response = await client.get("/readyz")
                return response if response.json()["degraded"] else None

            response = await soon("Redis is missed", missed)
    told = response.json()
    assert (response.status_code, told["status"], told["degraded"]) == (200, "ready", ["redis"])
    assert told["dependencies"]["redis"]["reason"].startswith("Redis doesn't answer, so nothing is cached")


def stop(url: str) -> None:
    with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client, suppress(redis.ConnectionError):
        client.shutdown(nosave=True)


async def test_probes_may_ask_by_the_address_of_a_container(client: httpx.AsyncClient) -> None:
    foreign = {"Host": "10.0.0.7:8400"}
    asked = ("/healthz", "/readyz", "/metrics", "/api/v1/versions")
    assert [(await client.get(path, headers=foreign)).status_code for path in asked] == [200, 200, 200, 403]


async def test_a_failure_nobody_foresaw_is_logged_and_told_without_its_insides(
    empty: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("DROP TABLE served_versions")
    response = await empty.get("/api/v1/versions")
    assert (response.status_code, response.json()["type"]) == (500, "internal-error")
    assert "served_versions" not in response.text
    assert "GET /api/v1/versions failed" in caplog.text
