"""A bench for each test."""

import pytest

from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_shadows import SqlShadows
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.serving.build import served
from tests.serving.shadowing.bench import Bench


@pytest.fixture
async def bench(stores: Stores, settings: ServingSettings) -> Bench:
    await SqlServedVersions(stores.database).put(served("1", at=utc_now()))
    return Bench(stores, FolderBlobs(settings.articles), SqlShadows(stores.database))
