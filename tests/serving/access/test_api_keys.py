"""Keys: shown once, stored as a hash, refused when they are over."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from serving.access.api_keys import ApiKey, caller_by_key, looks_like_key, new_key
from serving.access.caller import Caller, NotSignedIn, Permission
from serving.adapters.access_tables import api_keys
from serving.adapters.database import Database, open_database, open_reporting
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.settings import PoolSize
from tests.postgres_server import new_database
from tests.serving.build import NOW, ROOT

MINUTE = timedelta(minutes=1)


def made(**fields: Any) -> tuple[ApiKey, str]:
    usual: dict[str, Any] = {"user": "cms", "name": "nightly", "scopes": frozenset({Permission.CHECK}), "by": "root"}
    return new_key(**(usual | {"now": NOW, "expires": None} | fields))


@pytest.fixture
def keys(database: Database) -> SqlApiKeys:
    return SqlApiKeys(database)


async def test_a_key_asks_on_behalf_of_its_user(keys: SqlApiKeys) -> None:
    key, text = made()
    await keys.add(key, ROOT)
    assert looks_like_key(text)
    assert await caller_by_key(keys, text, NOW) == Caller("cms", frozenset({Permission.CHECK}), via=f"key:{key.id}")


async def test_its_text_is_nowhere_in_the_database(keys: SqlApiKeys, database: Database) -> None:
    key, text = made()
    await keys.add(key, ROOT)
    async with database.read() as connection:
        stored = str((await connection.execute(select(api_keys))).all())
    assert key.id in stored
    assert text.rpartition("_")[2] not in stored


async def test_wrong_expired_and_revoked_ones_are_refused(keys: SqlApiKeys) -> None:
    key, text = made(expires=NOW + MINUTE)
    await keys.add(key, ROOT)
    for wrong in (text[:-1], text + "x", f"cdk_{'0' * 12}_{text.rpartition('_')[2]}", "cdk_", "cdk__", "cdk_\0_\0"):
        with pytest.raises(NotSignedIn, match="the API key is not valid"):
            await caller_by_key(keys, wrong, NOW)
    with pytest.raises(NotSignedIn, match=f"'nightly' \\({key.id}\\) is expired"):
        await caller_by_key(keys, text, NOW + MINUTE)
    await keys.revoke(key.id, ROOT, NOW)
    with pytest.raises(NotSignedIn, match="is revoked"):
        await caller_by_key(keys, text, NOW)


async def test_it_is_known_when_a_key_was_last_used(keys: SqlApiKeys) -> None:
    key, text = made()
    await keys.add(key, ROOT)
    for minutes in (0, 1, 4):
        await caller_by_key(keys, text, NOW + minutes * MINUTE)
    assert [used.used for used in await keys.all()] == [NOW]
    await caller_by_key(keys, text, NOW + 6 * MINUTE)
    assert [used.used for used in await keys.all()] == [NOW + 6 * MINUTE]


async def test_it_is_good_while_the_database_takes_no_changes(
    postgres: str, migrated: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = new_database(postgres, like=migrated)
    key, text = made()
    written, read = await open_database(url), await open_reporting(url, PoolSize())
    await SqlApiKeys(written).add(key, ROOT)
    assert (await caller_by_key(SqlApiKeys(read), text, NOW)).user == "cms"
    assert f"the use of the API key {key.id} was not noted" in caplog.text
    await written.close()
    await read.close()


async def test_a_key_is_revoked_once(keys: SqlApiKeys) -> None:
    key, _ = made()
    await keys.add(key, ROOT)
    first, again = await keys.revoke(key.id, ROOT, NOW), await keys.revoke(key.id, ROOT, NOW + MINUTE)
    assert first == again
    assert first
    assert first.revoked == NOW
    assert await keys.revoke("none", ROOT, NOW) is None
