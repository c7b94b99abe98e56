"""A second version of the API beside the first, which stays as it is."""

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from serving.api import access
from serving.api.access import Anyone, Who
from serving.api.api_version import ApiVersion
from serving.app import V1, create_app, utc_now
from serving.settings import ServingSettings
from tests.serving.build import served
from tests.serving.conftest import OPEN

PATHS = ("/openapi.json", "/api/v1/session", "/api/v1/guidelines", "/api/v1/jobs/none/status", "/api/v1/nowhere")
second = APIRouter(prefix="/api/v2/session")


class Person(BaseModel):
    name: str


class SessionOut(BaseModel):
    """Another shape under the same name."""

    user: Person


@second.get("")
async def show_session(caller: Who) -> SessionOut:
    return SessionOut(user=Person(name=caller.user))


V2 = ApiVersion("v2", (second,))


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(access.RULES, "GET /api/v2/session", Anyone.SIGNED_IN)


async def answers(settings: ServingSettings, versions: tuple[ApiVersion, ...], *paths: str) -> list[httpx.Response]:
    app = create_app(settings, OPEN, api_versions=versions)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://localhost",
            headers={"X-Request-Id": "the-same"},  # problems name it
        ) as client,
    ):
        return [await client.get(path) for path in paths]


async def test_the_first_is_the_same_to_the_byte_with_a_second_beside_it(
    settings: ServingSettings, database: Database
) -> None:
    await SqlServedVersions(database).put(served(at=utc_now()))
    alone, beside = await answers(settings, (V1,), *PATHS), await answers(settings, (V1, V2), *PATHS)
    assert [each.status_code for each in alone] == [200, 200, 200, 404, 404]
    assert [each.content for each in alone] == [each.content for each in beside]
    assert [set(each.headers.items()) for each in alone[:1]] == [set(each.headers.items()) for each in beside[:1]]


async def test_the_second_has_its_own_schema_and_description(settings: ServingSettings) -> None:
    shown, described = await answers(settings, (V1, V2), "/api/v2/session", "/api/v2/openapi.json")
    assert shown.json() == {"user": {"name": "local"}}
    assert "RateLimit" in shown.headers
    assert set(described.json()["paths"]) == {"/api/v2/session"}


async def test_a_version_that_ends_says_when_with_every_answer(settings: ServingSettings) -> None:
    old = ApiVersion("v1", V1.routers, datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC))
    first, missing, second = await answers(settings, (old, V2), "/api/v1/session", "/api/v1/no", "/api/v2/session")
    for each in (first, missing):
        assert each.headers["Deprecation"] == "@1798761600"
        assert each.headers["Sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
    assert not {"deprecation", "sunset"} & set(second.headers)
