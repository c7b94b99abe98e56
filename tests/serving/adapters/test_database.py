import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from serving.adapters.database import Database, DatabaseUnavailable, DatabaseUnusable, open_database, open_reporting
from serving.adapters.sql_jobs import SqlJobStore
from serving.adapters.stores import Stores
from serving.settings import PoolSize, ServingSettings
from tests.serving.build import request, submission
from tests.serving.service import free_port

OPEN = (
    "import asyncio, sys; from serving.adapters.database import open_database; asyncio.run(open_database(sys.argv[1]))"
)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_the_file_is_in_wal_mode_and_survives_a_power_cut(database: Database) -> None:
    async with database.read() as connection:
        values = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in ("journal_mode", "synchronous")
        ]
    assert values == ["wal", 2]


async def test_twenty_writers_at_once_all_get_their_turn(database: Database, settings: ServingSettings) -> None:
    other = await open_database(settings.database_url)  # as another process would
    jobs = [SqlJobStore(database), SqlJobStore(other)]
    await asyncio.gather(*(jobs[number % 2].add(submission(f"job{number}")) for number in range(20)))
    assert await jobs[0].waiting() == 20
    await other.close()


async def test_a_write_that_fails_leaves_nothing(stores: Stores) -> None:
    await stores.jobs.add(submission("a"))
    with pytest.raises(IntegrityError):
        await stores.jobs.add(submission("a"))
    assert await stores.jobs.waiting() == 1


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
async def test_who_stops_waiting_for_a_lock_leaves_a_connection_that_works(stores: Stores) -> None:
    equal = replace(submission("a").job, article_hash="0" * 64)
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:hash, 0))")
    async with stores.database.write() as other:
        await other.execute(lock, {"hash": equal.article_hash})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stores.jobs.add(replace(submission("a"), job=equal)), 0.2)
        assert stores.database.pool[0] == 1
    await stores.jobs.add(replace(submission("b"), job=replace(equal, id="b")))
    assert (await stores.jobs.waiting(), stores.database.pool[0]) == (1, 0)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_a_file_that_cannot_grow_is_an_outage_and_nothing_is_half_there(stores: Stores) -> None:
    """As on a full disk: SQLite itself says that its database is full."""

    async def may_grow_to(pages: str) -> None:
        async with stores.database.write() as connection:  # the next writer has the same one
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    async def fill() -> None:
        for number in range(100):
            await stores.jobs.add(submission(f"job{number}", request=request(title="A long title. " * 50)))

    await may_grow_to("1")  # of no less than it has
    with pytest.raises(DatabaseUnavailable):
        await fill()
    stored = await stores.jobs.waiting()
    await may_grow_to("1000000")
    assert await stores.jobs.get(f"job{stored}") is None
    await stores.jobs.add(submission(f"job{stored}"))
    assert await stores.jobs.waiting() == stored + 1


def test_processes_that_open_a_new_database_at_once_agree(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'copydesk.db'}"
    started = [subprocess.Popen([sys.executable, "-c", OPEN, url], stderr=subprocess.PIPE) for _ in range(4)]
    assert [(process.wait(60), process.communicate()[1].decode()) for process in started] == [(0, "")] * 4


async def test_a_new_file_waits_for_a_process_that_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "copydesk.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE theirs(x)")
        other.execute("BEGIN IMMEDIATE")
        ending = threading.Timer(0.3, other.execute, ["COMMIT"])
        ending.start()
        database = await open_database(f"sqlite:///{file}")
        ending.join()
        async with database.read() as connection:
            assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
        await database.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "DB_CONNECTION_STRING is not a database address"),
        ("mysql://u:secret@h/d", "PostgreSQL (.*) and SQLite are supported"),
        ("postgres:secret", "DB_CONNECTION_STRING is not a database address"),
        ("sqlite:////proc/none/x.db", "can't be made"),
        ("sqlite:////proc/version", "set COPYDESK_HOME elsewhere"),
    ],
)
async def test_an_address_that_cannot_be_used_is_named(url: str, told: str) -> None:
    with pytest.raises(DatabaseUnusable, match=told) as caught:
        await open_database(url)
    assert "secret" not in str(caught.value)


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "copydesk.db"
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseUnusable, match="file is not a database"):
        await open_database(f"sqlite:///{file}")
    assert file.read_bytes() == b"not a database at all" * 100


async def test_where_a_database_is_that_is_away_stands_in_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    database = await open_reporting(f"postgresql://somebody@127.0.0.1:{port}/articles", PoolSize())
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable) as away:
            await database.answers()
    await database.close()
    assert str(away.value) == "the database can't be used now (see the log): try again soon"
    assert [str(port) in record.message for record in caplog.records] == [True]
