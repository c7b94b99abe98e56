"""A database of its own for each test, and the API on it without a socket."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from serving.adapters.database import Database, open_database
from serving.adapters.sql_versions import SqlServedVersions
from serving.app import create_app, utc_now
from serving.settings import ServingSettings
from tests.redis_server import redis_server
from tests.serving.build import served


@pytest.fixture
def settings(tmp_path: Path) -> ServingSettings:
    return ServingSettings(home=tmp_path / "home", db_connection_string="", port=0)


@pytest.fixture
async def database(settings: ServingSettings) -> AsyncIterator[Database]:
    database = await open_database(settings.database_url)
    yield database
    await database.close()


@asynccontextmanager
async def api_client(settings: ServingSettings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


@pytest.fixture
async def empty(settings: ServingSettings) -> AsyncIterator[httpx.AsyncClient]:
    """The API before any worker has served a version."""
    async with api_client(settings) as client:
        yield client


@pytest.fixture
async def client(settings: ServingSettings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API with a champion served by some worker."""
    await SqlServedVersions(database).put(served(at=utc_now()))
    async with api_client(settings) as client:
        yield client


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that tests share: each takes names of its own in it."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url
