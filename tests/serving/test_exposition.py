import socket
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from serving.access.settings import AccessSettings
from serving.adapters.database import DatabaseUnavailable
from serving.dependencies import Dependencies
from serving.exposition import REMEMBERED_SECONDS, Exposition, exposed
from serving.metrics import ApiMetrics, WorkerMetrics
from serving.ports.jobs import Backlog
from tests.serving.conftest import OPEN
from tests.serving.service import free_port
from tests.serving.ticks import Turned

NOW = datetime(2026, 11, 27, tzinfo=UTC)


class Backlogs:
    """A queue that grows by one with each look at it, or can't be read."""

    def __init__(self) -> None:
        self.read_times = 0
        self.away = False

    async def read(self, now: datetime) -> Backlog:
        if self.away:
            raise DatabaseUnavailable("away")
        self.read_times += 1
        return Backlog(self.read_times, 0.0, 0, 0, 0, 0.0, 0, ())


@pytest.fixture
def backlogs() -> Backlogs:
    return Backlogs()


@pytest.fixture
def ticks() -> Turned:
    return Turned()


@pytest.fixture
def exposition(backlogs: Backlogs, ticks: Turned) -> Exposition:
    return Exposition(ApiMetrics(), backlogs, Dependencies((), ticks), clock=lambda: NOW, ticks=ticks)


async def test_however_often_it_is_scraped_the_database_is_asked_every_few_seconds(
    exposition: Exposition, backlogs: Backlogs, ticks: Turned
) -> None:
    for _ in range(5):
        assert b"compliance_queue_depth 1.0" in await exposition.text()
    ticks.now += REMEMBERED_SECONDS
    assert b"compliance_queue_depth 2.0" in await exposition.text()
    assert backlogs.read_times == 2


async def test_figures_that_cannot_be_read_are_missing_and_not_old(
    exposition: Exposition, backlogs: Backlogs, ticks: Turned
) -> None:
    await exposition.text()
    backlogs.away = True
    ticks.now += REMEMBERED_SECONDS
    assert b"compliance_queue_depth" not in await exposition.text()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("GET", "/metrics?x=1", 200),
        ("GET", "/healthz", 200),
        ("GET", "/", 404),
        ("POST", "/metrics", 405),
    ],
)
async def test_a_worker_answers_on_a_port_of_its_own(method: str, path: str, status: int) -> None:
    port = free_port()
    async with exposed(WorkerMetrics(), "127.0.0.1", port, OPEN), httpx.AsyncClient() as client:
        response = await client.request(method, f"http://127.0.0.1:{port}{path}")
    assert response.status_code == status
    assert (b"compliance_job_wait_seconds" in response.content) == (status == 200 and "metrics" in path)


TOKEN = "t" * 40
GUARDED = AccessSettings(metrics_token=SecretStr(TOKEN))


@pytest.mark.parametrize(
    ("access", "sent", "status"),
    [
        (GUARDED, f"Bearer {TOKEN}".encode(), 200),
        (GUARDED, f"bearer {TOKEN}".encode(), 200),
        (GUARDED, b"", 401),
        (GUARDED, b"Bearer wrong", 401),
        (GUARDED, "Bearer wröng".encode(), 401),
        (GUARDED, f"Basic {TOKEN}".encode(), 401),
        (
            AccessSettings(jwt_secret_key=SecretStr("s" * 32)),
            b"Bearer any",
            401,
        ),  # as the API's: closed without a token
    ],
)
async def test_a_worker_demands_the_token_as_the_api_does(access: AccessSettings, sent: bytes, status: int) -> None:
    port, headers = free_port(), httpx.Headers([(b"Authorization", sent)] if sent else [])
    async with exposed(WorkerMetrics(), "127.0.0.1", port, access), httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics", headers=headers)
        assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
    assert answer.status_code == status
    if status == 401:
        said = answer.json()
        assert (answer.headers["content-type"], answer.headers["www-authenticate"]) == (
            "application/problem+json",
            'Bearer realm="copydesk"',
        )
        assert (said["type"], said["status"], "COPYDESK_METRICS_TOKEN" in said["detail"]) == (
            "not-signed-in",
            401,
            True,
        )


async def test_a_head_without_end_is_not_read() -> None:
    port = free_port()
    async with exposed(WorkerMetrics(), "127.0.0.1", port, OPEN), httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"http://127.0.0.1:{port}/metrics", headers={"X": "x" * 100_000})
        assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200


async def test_a_second_worker_with_the_same_port_works_without(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        async with exposed(WorkerMetrics(), "127.0.0.1", other.getsockname()[1], OPEN):
            pass
    assert "give each worker on a machine its own COPYDESK_WORKER_METRICS_PORT" in caplog.text
