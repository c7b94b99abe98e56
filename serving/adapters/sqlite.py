"""SQLite in WAL mode: any number of readers beside one writer."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

BUSY_SECONDS = 30.0
NotUsable = sqlite3.DatabaseError
_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
    }
)


async def sqlite_engine(url: URL) -> AsyncEngine:
    """Makes the file where it is missing; raises OSError and sqlite3.DatabaseError."""
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(_use_wal, url.database)
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        pool_use_lifo=True,  # each connection has a thread and 2 MB of pages: few are opened, and those stay warm
        hide_parameters=True,  # an error's text, which is logged, would hold titles and findings
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def is_outage(error: BaseException | None) -> bool:
    """Whether an error of the driver comes from the machine, and not from what was asked."""
    return not isinstance(error, sqlite3.Error) or (error.sqlite_errorcode & 0xFF) in _OUTAGES


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


@retry(
    retry=retry_if_exception(_is_busy), stop=stop_after_delay(BUSY_SECONDS), wait=wait_random(0.01, 0.1), reraise=True
)
def _use_wal(file: str) -> None:
    """The file remembers the mode. SQLite doesn't wait its turn to change it while another process writes."""
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


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
