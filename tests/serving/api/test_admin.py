"""What an administrator does, and that it is noted."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from serving.access.caller import Role
from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.serving.api.test_access import BODY, SIGN_IN, key_of
from tests.serving.build import LEASE, claim, served, submission
from tests.serving.conftest import api_client

CHECK, BATCHES = "/api/v1/compliance/check", "/api/v1/compliance/batches"


@pytest.fixture
async def admin(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    await SqlServedVersions(database).put(served(at=utc_now()))
    token = (await key_of(database, Role.ADMIN, "root"))["Authorization"].partition(" ")[2]
    async with api_client(settings, SIGN_IN, token) as client:
        yield client


async def noted(admin: httpx.AsyncClient) -> list[tuple[str, str, str, str]]:
    entries = (await admin.get("/api/v1/admin/audit")).json()["entries"]
    assert entries.pop()["action"] == "key.create"  # of the key that all this is done with
    assert {entry["via"].partition(":")[0] for entry in entries} <= {"key"}
    return [(entry["user"], entry["action"], entry["subject"], entry["detail"]) for entry in entries]


async def test_nothing_is_accepted_while_draining(admin: httpx.AsyncClient) -> None:
    kept = (await admin.post(CHECK, json=BODY)).json()["job_id"]
    begun = (await admin.put("/api/v1/admin/drain", json={"reason": "an upgrade"})).json()
    assert (begun["draining"], begun["reason"], begun["by"], begun["unfinished"]) == (True, "an upgrade", "root", 1)
    refused = await admin.post(CHECK, json=BODY)
    assert (refused.status_code, refused.json()["type"], refused.headers["Retry-After"]) == (503, "draining", "60")
    assert "(an upgrade)" in refused.json()["detail"]
    assert (await admin.get(f"/api/v1/jobs/{kept}/status")).json()["status"] == "queued"
    assert (await admin.delete("/api/v1/admin/drain")).json()["draining"] is False
    assert (await admin.post(CHECK, json=BODY)).status_code == 202
    assert await noted(admin) == [("root", "drain.end", "drain", ""), ("root", "drain.begin", "drain", "an upgrade")]


async def test_a_repeated_key_is_answered_while_draining(admin: httpx.AsyncClient) -> None:
    key, batch = {"Idempotency-Key": "k"}, {"articles": [BODY]}
    job = (await admin.post(CHECK, json=BODY, headers=key)).json()
    batched = (await admin.post(BATCHES, json=batch, headers=key)).json()
    await admin.put("/api/v1/admin/drain", json={"reason": "an upgrade"})
    assert (await admin.post(CHECK, json=BODY, headers=key)).json() == job | {"duplicate": True}
    assert (await admin.post(BATCHES, json=batch, headers=key)).json() == batched
    assert (await admin.post(CHECK, json=BODY | {"channel": "word"}, headers=key)).status_code == 409


async def test_a_step_that_cannot_be_noted_is_not_taken(
    admin: httpx.AsyncClient, database: Database, stores: Stores
) -> None:
    await stores.jobs.add(submission("dead", submitted=utc_now()))
    await claim(stores, utc_now())
    await stores.leases.give_back(utc_now() + 2 * LEASE, max_attempts=1)
    async with database.write() as connection:
        await connection.execute(text("ALTER TABLE audit RENAME TO audit_gone"))
    for response in (
        await admin.put("/api/v1/admin/drain", json={"reason": "an upgrade"}),
        await admin.post("/api/v1/admin/jobs/dead/requeue"),
    ):
        assert response.status_code >= 500
    assert (await admin.get("/api/v1/admin/drain")).json()["draining"] is False
    assert [job.id for job in await stores.jobs.dead(None, 9)] == ["dead"]


async def test_a_dead_job_is_listed_and_queued_again(admin: httpx.AsyncClient, stores: Stores) -> None:
    await stores.jobs.add(submission("dead", submitted=utc_now()))
    await claim(stores, utc_now())
    await stores.leases.give_back(utc_now() + 2 * LEASE, max_attempts=1)
    assert [job["job_id"] for job in (await admin.get("/api/v1/admin/jobs/dead")).json()["jobs"]] == ["dead"]
    assert (await admin.post("/api/v1/admin/jobs/dead/requeue")).json()["status"] == "queued"
    again = await admin.post("/api/v1/admin/jobs/dead/requeue")
    assert (again.status_code, again.json()["type"]) == (409, "not-dead")
    assert await noted(admin) == [("root", "job.requeue", "dead", "")]


async def test_dead_jobs_are_paged_to_the_last(admin: httpx.AsyncClient, stores: Stores) -> None:
    for number in range(3):
        await stores.jobs.add(submission(f"dead{number}", seconds=number))
        await claim(stores, utc_now())
    await stores.leases.give_back(utc_now() + 2 * LEASE, max_attempts=1)
    first = (await admin.get("/api/v1/admin/jobs/dead?limit=2")).json()
    rest = (await admin.get(f"/api/v1/admin/jobs/dead?limit=2&cursor={first['next']}")).json()
    whole = (await admin.get("/api/v1/admin/jobs/dead?limit=3")).json()
    assert [job["job_id"] for job in first["jobs"] + rest["jobs"]] == ["dead2", "dead1", "dead0"]
    assert (rest["next"], whole["next"]) == (None, None)
    refused = await admin.get("/api/v1/admin/jobs/dead?cursor=x")
    assert (refused.status_code, "is none of ours" in refused.json()["detail"]) == (400, True)


async def test_what_is_kept_ready_of_a_job_is_dropped(
    settings: ServingSettings, database: Database, stores: Stores, redis_url: str
) -> None:
    token = (await key_of(database, Role.ADMIN, "ada"))["Authorization"].partition(" ")[2]
    shared = settings.model_copy(update={"redis_connection_string": redis_url})
    async with api_client(shared, SIGN_IN, token) as admin:
        job = submission(uuid4().hex, submitted=utc_now()).job
        await stores.jobs.add(submission(job.id, submitted=job.submitted))
        running = await claim(stores, utc_now())
        before = (await admin.get(f"/api/v1/jobs/{job.id}/status")).json()["status"]
        await stores.leases.give_back(utc_now() + 2 * LEASE, max_attempts=1)  # by somebody who tells no cache
        stale = (await admin.get(f"/api/v1/jobs/{job.id}/status")).json()["status"]
        cleared = await admin.delete(f"/api/v1/admin/jobs/{running.id}/cache")
        fresh = (await admin.get(f"/api/v1/jobs/{job.id}/status")).json()["status"]
        missing = await admin.delete("/api/v1/admin/jobs/none/cache")
    assert (before, stale, cleared.status_code, fresh, missing.status_code) == (
        "running",
        "running",
        204,
        "failed",
        404,
    )


async def test_who_did_what_is_paged(admin: httpx.AsyncClient) -> None:
    for number in range(2):
        await admin.put("/api/v1/admin/drain", json={"reason": str(number)})
    first = (await admin.get("/api/v1/admin/audit?limit=2")).json()
    rest = (await admin.get(f"/api/v1/admin/audit?limit=2&cursor={first['next']}")).json()
    assert [entry["detail"] for entry in first["entries"]] == ["1", "0"]
    assert [entry["action"] for entry in rest["entries"]] == ["key.create"]  # of the key that asks
    assert rest["next"] is None
