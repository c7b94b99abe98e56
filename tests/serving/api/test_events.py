import asyncio
import json
from collections.abc import MutableMapping
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
from tests.waiting import PATIENCE, soon

Event = tuple[str, dict[str, Any]]


async def _nothing_more() -> MutableMapping[str, Any]:
    """Comes from the client."""
    await asyncio.Event().wait()
    raise AssertionError


class Following:
    """A stream of events while it is told: httpx' own way to an app waits for the end of each answer."""

    def __init__(self, client: httpx.AsyncClient, id: str) -> None:
        transport = client._transport
        assert isinstance(transport, httpx.ASGITransport)
        request = client.build_request("GET", f"/api/v1/jobs/{id}/events")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("127.0.0.1", 123),
            "server": ("localhost", 80),
        }
        self.events: list[Event] = []
        self._name, self._rest = "", b""
        self._answer = asyncio.ensure_future(transport.app(scope, _nothing_more, self._send))

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert dict(message["headers"])[b"content-type"].startswith(b"text/event-stream")
        *lines, self._rest = (self._rest + message.get("body", b"")).split(b"\n")
        for line in lines:
            field, _, value = line.decode().partition(": ")
            if field == "event":
                self._name = value
            elif field == "data":
                self.events.append((self._name, json.loads(value)))

    def told(self, kind: str, field: str) -> list[Any]:
        return [data[field] for name, data in self.events if name == kind]

    async def until(self, kind: str, field: str, value: object) -> None:
        await soon(f"{value!r} is told", lambda: value in self.told(kind, field))

    async def to_the_end(self) -> None:
        await asyncio.wait_for(self._answer, PATIENCE)


async def test_a_job_is_followed_to_its_end_with_each_guideline(client: httpx.AsyncClient, stores: Stores) -> None:
    id = await submitted(client)
    following = Following(client, id)
    await following.until("status", "status", "queued")
    job = await claim(stores, utc_now())
    await stores.leases.progress(job, ["plain-words", "attribution"], 3)
    await following.until("guideline", "guideline", "attribution")
    await following.until("status", "status", "running")
    await stores.leases.finish(job.ended_as(JobStatus.COMPLETED, utc_now()), await report())
    await following.to_the_end()
    statuses = following.told("status", "status")
    assert following.told("guideline", "guideline") == ["plain-words", "attribution"]
    assert (statuses[0], statuses[-1]) == ("queued", "completed")
    assert statuses == sorted(statuses, key=["queued", "running", "completed"].index)


async def test_an_ended_job_is_told_at_once(client: httpx.AsyncClient, stores: Stores) -> None:
    id = await submitted(client)
    await stores.jobs.cancel(id, utc_now())
    following = Following(client, id)
    await following.to_the_end()
    assert [(name, data["status"]) for name, data in following.events] == [("status", "cancelled")]


async def test_a_waiting_job_is_told_its_place_though_only_others_change(
    client: httpx.AsyncClient, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "REMIND_SECONDS", 0.1)
    before = await submitted(client, article={"text": "Another article."})
    id = await submitted(client)
    following = Following(client, id)
    await following.until("status", "position", 2)
    await stores.jobs.cancel(before, utc_now())
    await following.until("status", "position", 1)
    await stores.jobs.cancel(id, utc_now())
    await following.to_the_end()
    assert following.told("status", "position") == [2, 1, None]


async def test_a_stream_ends_when_it_has_lasted_long_enough(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "REMIND_SECONDS", 0.1)
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0.2)
    following = Following(client, await submitted(client))
    await following.to_the_end()
    assert set(following.told("status", "status")) <= {"queued"}  # nobody may have come to tell it


async def test_many_followers_of_one_job_hear_the_same(client: httpx.AsyncClient, stores: Stores) -> None:
    id = await submitted(client)
    following = [Following(client, id) for _ in range(5)]
    for each in following:
        await each.until("status", "status", "queued")
    await stores.jobs.cancel(id, utc_now())
    for each in following:
        await each.to_the_end()
    assert [each.told("status", "status") for each in following] == [["queued", "cancelled"]] * 5


async def test_an_unknown_job_is_a_problem_and_no_stream(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/jobs/none/events")
    assert (response.status_code, response.json()["type"]) == (404, "not-found")
