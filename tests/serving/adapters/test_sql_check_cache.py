from datetime import timedelta

import pytest

from serving.adapters.database import Database, open_reporting
from serving.adapters.sql_check_cache import SqlKeyValues
from serving.settings import PoolSize
from tests.serving.build import NOW
from tests.serving.service import free_port


async def test_what_was_put_is_there_for_every_process(database: Database) -> None:
    await SqlKeyValues(database, lambda: NOW).put({"one": b"1", "two": b"2"})
    await SqlKeyValues(database, lambda: NOW).put({"two": b"22"})
    kept = SqlKeyValues(database, lambda: NOW)
    assert await kept.get(["one", "two", "three"]) == {"one": b"1", "two": b"22"}
    assert await kept.get([]) == {}


async def test_more_keys_than_a_statement_takes(database: Database) -> None:
    values = {str(number): b"v" for number in range(1200)}
    kept = SqlKeyValues(database, lambda: NOW)
    await kept.put(values)
    assert await kept.get(list(values)) == values


async def test_what_is_old_is_dropped_and_what_was_put_again_is_not(database: Database) -> None:
    old = SqlKeyValues(database, lambda: NOW - timedelta(days=31))
    await old.put({"one": b"1", "two": b"2"})
    kept = SqlKeyValues(database, lambda: NOW)
    await kept.put({"two": b"2"})
    assert await kept.forget(timedelta(days=30)) == 1
    assert await kept.get(["one", "two"]) == {"two": b"2"}


async def test_while_the_database_is_away_nothing_is_kept_and_no_check_fails(caplog: pytest.LogCaptureFixture) -> None:
    away = await open_reporting(f"postgresql://ada@127.0.0.1:{free_port()}/none", PoolSize())
    kept = SqlKeyValues(away, lambda: NOW)
    await kept.put({"one": b"1"})
    assert await kept.get(["one"]) == {}
    assert sum("finished checks are made again" in record.message for record in caplog.records) == 1
