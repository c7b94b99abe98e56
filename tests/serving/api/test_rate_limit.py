from collections.abc import AsyncIterator

import httpx
import pytest

from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from serving.api.rate_limit import rate_limit_headers
from serving.app import utc_now
from serving.ports.control import Allowance
from serving.settings import ServingSettings
from tests.serving.build import TEXT, served
from tests.serving.conftest import api_client
from tests.serving.service import free_port


@pytest.fixture
async def strict(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API, which allows two requests a minute."""
    await SqlServedVersions(database).put(served(at=utc_now()))
    async with api_client(settings.model_copy(update={"user_requests_per_minute": 2})) as client:
        yield client


def test_what_is_left_is_said_in_whole_seconds() -> None:
    headers = rate_limit_headers(Allowance(True, 500, 60.0, remaining=499, reset_seconds=59.2))
    assert headers == [(b"ratelimit-policy", b'"default";q=500;w=60'), (b"ratelimit", b'"default";r=499;t=60')]


def test_what_is_not_known_is_not_said() -> None:
    headers = rate_limit_headers(Allowance(True, 500, 60.0, remaining=None, reset_seconds=0.0))
    assert headers == [(b"ratelimit-policy", b'"default";q=500;w=60')]


async def test_one_request_too_many_is_told_when_to_come_back(strict: httpx.AsyncClient) -> None:
    answers = [await strict.get("/api/v1/versions") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    last = answers[-1]
    wait = last.headers["Retry-After"]
    assert 55 <= int(wait) <= 60
    assert last.headers["RateLimit"] == f'"default";r=0;t={wait}'
    assert last.json() == {
        "type": "rate-limited",
        "title": "Rate limited",
        "status": 429,
        "detail": f"user local has made more than 2 requests in 60 seconds: wait {wait} seconds, and ask less often",
        "request_id": last.headers["X-Request-Id"],
    }


async def test_ready_made_answers_and_problems_say_what_is_left(strict: httpx.AsyncClient) -> None:
    accepted = await strict.post("/api/v1/compliance/check", json={"article": {"text": TEXT}})
    missing = await strict.get("/jobs/nowhere/status")
    assert [accepted.status_code, missing.status_code] == [202, 404]
    left = [answer.headers["RateLimit"].partition(";t=")[0] for answer in (accepted, missing)]
    assert left == ['"default";r=1', '"default";r=0']


async def test_health_and_pages_are_free(strict: httpx.AsyncClient) -> None:
    answers = [await strict.get(path) for path in ("/healthz", "/readyz", "/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 9
    assert not any(name.startswith("ratelimit") for answer in answers for name in answer.headers)
    assert (await strict.get("/api/v1/versions")).headers["RateLimit"].startswith('"default";r=1')


async def test_all_processes_count_together_in_redis(settings: ServingSettings, redis_url: str) -> None:
    shared = settings.model_copy(update={"redis_connection_string": redis_url})
    async with api_client(shared) as one, api_client(shared) as other:
        answers = [await client.get("/api/v1/versions") for client in (one, other)]
    first, second = (int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0]) for answer in answers)
    assert first - second == 1


async def test_requests_are_served_while_redis_is_down(settings: ServingSettings) -> None:
    gone = {"redis_connection_string": f"redis://127.0.0.1:{free_port()}", "user_requests_per_minute": 1}
    async with api_client(settings.model_copy(update=gone)) as client:
        answers = [await client.get("/api/v1/versions") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all("RateLimit" not in answer.headers for answer in answers)
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"default";q=1;w=60'}
