"""`/metrics`: who gets it, and what it says of the installation."""

import re
from datetime import timedelta

import httpx
import pytest

from serving.access.settings import AccessSettings, UnsafeSignIn
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.job import JobStatus
from serving.settings import ServingSettings
from tests.serving.build import TEXT, claim, report, submission
from tests.serving.conftest import api_client

TOKEN = "t" * 32
BODY = {"article": {"text": TEXT}}


def told(text: str, name: str) -> dict[str, float]:
    """A metric's values by its labels."""
    return {labels: float(value) for labels, value in re.findall(rf"^{name}(\{{.*?\}})? (\S+)$", text, re.MULTILINE)}


async def scraped(client: httpx.AsyncClient) -> str:
    return (await client.get("/metrics")).text


async def test_without_sign_in_it_is_open(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics")
    assert (response.status_code, response.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")


@pytest.mark.parametrize(("sent", "status"), [(TOKEN, 200), ("", 401), ("x" * 32, 401)])
async def test_with_sign_in_it_needs_its_token(settings: ServingSettings, sent: str, status: int) -> None:
    access = AccessSettings(jwt_secret_key="s" * 32, metrics_token=TOKEN)
    async with api_client(settings, access, sent) as client:
        assert (await client.get("/metrics")).status_code == status


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(UnsafeSignIn, match="COPYDESK_METRICS_TOKEN has 6 bytes: at least 32"):
        AccessSettings(metrics_token="secret")


async def test_the_queue_and_the_outbox_are_told(client: httpx.AsyncClient, stores: Stores) -> None:
    now = utc_now()
    for number in range(3):
        await stores.jobs.add(submission(f"job-{number}", submitted=now - timedelta(seconds=60)))
    ended = await claim(stores, now)
    await stores.leases.finish(ended.ended_as(JobStatus.COMPLETED, now - timedelta(seconds=30)), await report())
    await claim(stores, now)
    text = await scraped(client)
    counts = ("queue_depth", "jobs_running", "jobs_dead", "outbox_entries")
    assert [told(text, f"compliance_{name}")[""] for name in counts] == [1, 1, 0, 1]
    assert 60 <= told(text, "compliance_queue_oldest_seconds")[""] < 120
    assert 30 <= told(text, "compliance_outbox_oldest_seconds")[""] < 90


async def test_what_it_stands_on_is_told(client: httpx.AsyncClient) -> None:
    found = told(await scraped(client), "compliance_dependency_up")
    assert found == {'{dependency="database"}': 1, '{dependency="worker"}': 1, '{dependency="blobs"}': 1}


async def test_caches_blobs_and_cancelled_jobs_are_counted(client: httpx.AsyncClient) -> None:
    job = (await client.post("/api/v1/compliance/check", json=BODY)).json()["job_id"]
    await client.post("/api/v1/compliance/check", json=BODY)
    await client.delete(f"/api/v1/jobs/{job}")
    for _ in range(2):
        await client.get(f"/api/v1/jobs/{job}/status")
    text = await scraped(client)
    assert told(text, "compliance_cache_requests_total") == {
        '{cache="duplicates",result="hit"}': 1,
        '{cache="duplicates",result="miss"}': 1,
        '{cache="status",result="hit"}': 2,
    }
    assert told(text, "compliance_jobs_total") == {'{outcome="cancelled"}': 1}
    assert told(text, "compliance_blob_bytes_total")['{direction="in"}'] > len(TEXT)


async def test_requests_that_redis_cannot_count_are(settings: ServingSettings) -> None:
    away = settings.model_copy(update={"redis_connection_string": "redis://127.0.0.1:1"})
    async with api_client(away) as client:
        for _ in range(3):
            await client.get("/api/v1/versions")
        text = await scraped(client)
    assert told(text, "compliance_requests_not_counted_total") == {"": 3}
    assert told(text, "compliance_dependency_up")['{dependency="redis"}'] == 0
