import asyncio
import json
from typing import Any

import httpx
import pytest

from serving import watch
from serving.adapters.stores import Stores
from serving.api import events
from serving.app import utc_now
from serving.job import JobStatus
from tests.serving.api.test_jobs import submitted
from tests.serving.build import claim, report

Event = tuple[str, dict[str, Any]]


async def followed(client: httpx.AsyncClient, id: str) -> list[Event]:
    """All events until the stream ends."""
    response = await client.get(f"/api/v1/jobs/{id}/events", timeout=20)
    assert response.headers["content-type"].startswith("text/event-stream")
    found: list[Event] = []
    name = ""
    for line in response.text.splitlines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            found.append((name, json.loads(value)))
    return found


async def test_a_job_is_followed_to_its_end_with_each_guideline(client: httpx.AsyncClient, stores: Stores) -> None:
    id = await submitted(client)
    following = asyncio.create_task(followed(client, id))
    await asyncio.sleep(0.6)
    job = await claim(stores, utc_now())
    await stores.leases.progress(job, ["plain-words", "attribution"], 3)
    await asyncio.sleep(0.6)
    await stores.leases.finish(job.ended_as(JobStatus.COMPLETED, utc_now()), await report())
    events = await asyncio.wait_for(following, 10)
    named = [data["guideline"] for name, data in events if name == "guideline"]
    statuses = [data["status"] for name, data in events if name == "status"]
    assert named == ["plain-words", "attribution"]
    assert (statuses[0], statuses[-1]) == ("queued", "completed")
    assert statuses == sorted(statuses, key=["queued", "running", "completed"].index)


async def test_an_ended_job_is_told_at_once(client: httpx.AsyncClient, stores: Stores) -> None:
    id = await submitted(client)
    await stores.jobs.cancel(id, utc_now())
    assert [(name, data["status"]) for name, data in await followed(client, id)] == [("status", "cancelled")]


async def test_a_waiting_job_is_told_its_place_until_the_stream_has_lasted_long_enough(
    client: httpx.AsyncClient, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "REMIND_SECONDS", 0.1)
    monkeypatch.setattr(events, "LONGEST_SECONDS", 3.0)
    before = await submitted(client, article={"text": "Another article."})
    id = await submitted(client)
    following = asyncio.create_task(followed(client, id))
    await asyncio.sleep(1)
    await stores.jobs.cancel(before, utc_now())
    places = [data["position"] for name, data in await asyncio.wait_for(following, 15) if name == "status"]
    assert places in ([2, 1], [1])  # the latter where a busy machine began late


async def test_many_followers_of_one_job_hear_the_same(client: httpx.AsyncClient, stores: Stores) -> None:
    id = await submitted(client)
    following = [asyncio.create_task(followed(client, id)) for _ in range(5)]
    await asyncio.sleep(0.4)
    await stores.jobs.cancel(id, utc_now())
    heard = await asyncio.wait_for(asyncio.gather(*following), 10)
    assert [events[-1][1]["status"] for events in heard] == ["cancelled"] * 5


async def test_an_unknown_job_is_a_problem_and_no_stream(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/jobs/none/events")
    assert (response.status_code, response.json()["type"]) == (404, "not-found")
