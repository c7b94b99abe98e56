"""A database of its own for each test, and the API on it without a socket."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from serving.access.settings import AccessSettings
from serving.adapters.database import Database, open_and_migrate
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import WorkerStores, open_worker_stores
from serving.app import create_app, utc_now
from serving.settings import ServingSettings
from tests.azurite_server import azurite_server
from tests.postgres_server import new_database, postgres_server
from tests.redis_server import redis_server
from tests.serving.build import served

OPEN = AccessSettings()  # no sign-in


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL that tests share: each takes a database of its own in it."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    with postgres_server() as server:
        yield server.url()


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """A database with the tables, which new ones are copied from."""
    url = new_database(postgres)
    asyncio.run(open_and_migrate(url))
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a file."""
    file = tmp_path_factory.mktemp("migrated") / "copydesk.db"
    asyncio.run(open_and_migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> ServingSettings:
    """The default, and a database on PostgreSQL: what holds on one holds on the other."""
    home, url = tmp_path / "home", ""
    home.mkdir()
    if request.param == "postgres":
        url = new_database(request.getfixturevalue("postgres"), like=request.getfixturevalue("migrated"))
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), home)
    return ServingSettings(home=home, db_connection_string=url, port=0)


@pytest.fixture
async def stores(settings: ServingSettings) -> AsyncIterator[WorkerStores]:
    async with open_worker_stores(settings, utc_now) as stores:
        yield stores


@pytest.fixture
def database(stores: WorkerStores) -> Database:
    return stores.database


@asynccontextmanager
async def api_client(
    settings: ServingSettings, access: AccessSettings = OPEN, token: str = ""
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, access)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client,
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


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of a blob store that tests share: each puts what no other does."""
    if given := os.environ.get("TEST_AZURITE_CONN"):
        yield given
        return
    with azurite_server(tmp_path_factory.mktemp("azurite")) as server:
        yield server.connection_string
