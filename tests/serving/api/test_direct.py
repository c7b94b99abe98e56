"""The shorter way to a job's status answers as its route does."""

from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from serving.access.caller import Role
from serving.access.settings import AccessSettings
from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from serving.api.direct import DirectRoute
from serving.app import V1, create_app, utc_now
from serving.settings import ServingSettings
from tests.serving.api.test_access import SIGN_IN, key_of
from tests.serving.build import TEXT, served

PATHS = ("/api/v1/jobs/{job}/status", "/jobs/{job}/status")
VARIES = {"ratelimit", "x-request-id"}


async def answer(app: FastAPI, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        return await client.request(method, path, headers={"X-Request-Id": "the-same"})


def told(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in response.headers.items() if name not in VARIES}
    return response.status_code, headers, response.content


@pytest.mark.parametrize("path", PATHS)
async def test_it_answers_as_the_route_does(settings: ServingSettings, database: Database, path: str) -> None:
    await SqlServedVersions(database).put(served(at=utc_now()))
    ada, eve = await key_of(database, Role.EDITOR, "ada"), await key_of(database, Role.EDITOR, "eve")
    analyst = await key_of(database, Role.ANALYST, "ann")
    short = create_app(settings, SIGN_IN)
    long = create_app(settings, SIGN_IN, api_versions=(replace(V1, direct=()),))
    async with short.router.lifespan_context(short), long.router.lifespan_context(long):
        body = {"article": {"text": TEXT}}
        transport = httpx.ASGITransport(short)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=ada) as client:
            submitted = (await client.post("/api/v1/compliance/check", json=body)).json()
            tag = (await client.get(submitted["links"]["status"])).headers["ETag"]
        asked = path.format(job=submitted["job_id"])
        cases = [
            ("GET", asked, ada, 200),
            ("GET", asked, {**ada, "If-None-Match": tag}, 304),
            ("GET", asked + "?more=1", ada, 200),
            ("GET", asked, eve, 404),
            ("GET", asked, analyst, 403),
            ("GET", asked, {}, 401),
            ("GET", asked, {"Authorization": "Basic YTpi"}, 401),
            ("GET", asked, {"Authorization": "Bearer cdk_none_such"}, 401),
            ("GET", path.format(job="%2e%2e"), ada, 404),
            ("GET", asked + "/", ada, 307),
            ("HEAD", asked, ada, 405),
            ("POST", asked, ada, 405),
        ]
        for method, target, headers, status in cases:
            shorter, longer = [await answer(app, method, target, headers) for app in (short, long)]
            assert shorter.status_code == status, (method, target)
            assert told(shorter) == told(longer)


async def test_who_asks_too_often_is_told_so(settings: ServingSettings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"user_requests_per_minute": 1}), AccessSettings())
    async with app.router.lifespan_context(app):
        first, second = [await answer(app, "GET", "/api/v1/jobs/none/status", {}) for _ in range(2)]
    assert (first.status_code, second.status_code) == (404, 429)
    assert "Retry-After" in second.headers


async def test_a_route_is_measured_under_its_template(settings: ServingSettings, database: Database) -> None:
    app = create_app(settings, AccessSettings())
    async with app.router.lifespan_context(app):
        await answer(app, "GET", "/api/v1/jobs/none/status", {})
        metrics = (await answer(app, "GET", "/metrics", {})).text
    assert 'route="/api/v1/jobs/{job_id}/status"' in metrics


async def test_nothing_is_read_for_who_has_not_signed_in(settings: ServingSettings, database: Database) -> None:
    app = create_app(settings, SIGN_IN.model_copy(update={"metrics_token": SecretStr("m" * 32)}))
    async with app.router.lifespan_context(app):
        assert (await answer(app, "GET", "/api/v1/jobs/none/status", {})).status_code == 401
        metrics = (await answer(app, "GET", "/metrics", {"Authorization": f"Bearer {'m' * 32}"})).text
        assert 'cache="status"' not in metrics
        known = await key_of(database, Role.EDITOR, "ada")
        assert (await answer(app, "GET", "/api/v1/jobs/none/status", known)).status_code == 404
        metrics = (await answer(app, "GET", "/metrics", {"Authorization": f"Bearer {'m' * 32}"})).text
        assert 'cache="status"' in metrics


def test_it_is_asked_before_all_other_routes(settings: ServingSettings) -> None:
    first = create_app(settings, AccessSettings()).router.routes[: len(PATHS)]
    assert [isinstance(route, DirectRoute) for route in first] == [True, True]
    without = create_app(settings, AccessSettings(), api_versions=(replace(V1, direct=()),))
    assert not any(isinstance(route, DirectRoute) for route in without.router.routes)
