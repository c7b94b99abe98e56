"""The connection to the database: SQLite in WAL mode, with one writer at a time."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from agent.errors import CopydeskError
from serving.adapters.tables import metadata

BUSY_SECONDS = 30.0


class DatabaseUnusable(CopydeskError):
    """The database can't be opened as it is named."""

    type = "database-unusable"


class Database:
    """Reads and writes in transactions. A write waits its turn instead of failing on a busy file."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reader = engine
        self._writer = engine.execution_options(write=True)
        # SQLite's own waiting is a poll: 20 writers at once take up to 1.7 s, in turn they take milliseconds.
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.begin() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        async with self._turn, self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self._reader.dispose()


async def open_database(url: str) -> Database:
    """Opens the database and makes its tables where they are missing; raises DatabaseUnusable."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnusable(f"DB_CONNECTION_STRING is not a database address ({error})") from error
    if not parsed.drivername.startswith("sqlite"):
        raise DatabaseUnusable(
            f"DB_CONNECTION_STRING names {parsed.drivername!r}: only SQLite is supported yet; unset it for the default"
        )
    if parsed.database and parsed.database != ":memory:":
        _make_folder(Path(parsed.database).parent)
        await asyncio.to_thread(_use_wal, parsed.database)
    engine = create_async_engine(
        parsed.set(drivername="sqlite+aiosqlite"), connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    database = Database(engine)
    try:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
    except DatabaseError as error:
        await database.close()
        raise DatabaseUnusable(
            f"{parsed.database} can't be opened ({error.orig}): set COPYDESK_HOME elsewhere"
        ) from error
    return database


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(f"{folder} can't be made ({error.strerror}): set COPYDESK_HOME elsewhere") from error


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


@retry(
    retry=retry_if_exception(_is_busy), stop=stop_after_delay(BUSY_SECONDS), wait=wait_random(0.01, 0.1), reraise=True
)
def _switch_to_wal(file: str) -> None:
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _use_wal(file: str) -> None:
    """The file remembers the mode. SQLite doesn't wait its turn to change it while another process writes."""
    try:
        _switch_to_wal(file)
    except sqlite3.DatabaseError as error:
        raise DatabaseUnusable(f"{file} can't be opened ({error}): set COPYDESK_HOME elsewhere") from error


def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own
    cursor = connection.cursor()
    # FULL: an accepted article survives a power cut, at about 0.3 ms.
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:  # noqa: ANN401 - the driver's own
    # A transaction that reads and then writes would fail on a busy file without a second try.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
