"""The connection to the database: SQLite on one machine, PostgreSQL for more."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, Executable, func, select, text
from sqlalchemy.engine import URL, RowMapping, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import greenlet_spawn

from agent.errors import CopydeskError
from serving.adapters.postgres import postgres_engine
from serving.adapters.schema import SchemaBehind, current_revision, is_behind, migrate
from serving.settings import PoolSize

POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
TELL_AGAIN_SECONDS = 10.0  # in an outage each request fails: that is no line in the log for each
_READ_ONLY = "25006"  # what PostgreSQL says on a server without space left, or one that has become a replica

T = TypeVar("T")

logger = logging.getLogger(__name__)


class DatabaseUnusable(CopydeskError):
    """The database can't be opened as it is named."""

    type = "database-unusable"


class DatabaseUnavailable(CopydeskError):
    """The database doesn't answer, or can't take what is written."""

    type = "database-unavailable"
    status = 503
    outage = True
    retry_after = 5


class UnstorableText(CopydeskError):
    """A text holds what PostgreSQL's text can't."""

    type = "invalid-request"
    status = 422


class Database:
    """Reads and writes in transactions; raises DatabaseUnavailable while the database is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.is_postgres = engine.dialect.name == "postgresql"
        # One statement is its own transaction: BEGIN and COMMIT would be two more round trips to PostgreSQL.
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT") if self.is_postgres else engine
        self._writer = engine.execution_options(write=True)
        # SQLite's own waiting is a poll: 20 writers at once take up to 1.7 s, in turn they take milliseconds.
        self._turn = None if self.is_postgres else asyncio.Lock()
        self._tell_again = 0.0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with self._outages():
            async with self._reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        with self._outages():
            if self._turn is None:
                async with self._writer.begin() as connection:
                    yield connection
            else:
                async with self._turn, self._writer.begin() as connection:
                    yield connection

    async def fetch(
        self, statement: Executable, parameters: Mapping[str, object] | None = None
    ) -> Sequence[RowMapping]:
        """The rows of one statement, as `read` gives them, for what is asked most.

        SQLAlchemy's own asyncio switches into a greenlet for each step; to PostgreSQL it is one for all of them, which
        takes a third less CPU.
        """
        if self.is_postgres:
            with self._outages():
                return await greenlet_spawn(self._fetch, statement, parameters)
        async with self.read() as connection:
            return (await connection.execute(statement, parameters)).mappings().all()

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """What `work` comes to, in one transaction as `write` makes it; likewise one greenlet."""
        if self.is_postgres:
            with self._outages():
                return await greenlet_spawn(self._transact, work)
        async with self.write() as connection:
            return await connection.run_sync(work)

    def _fetch(self, statement: Executable, parameters: Mapping[str, object] | None) -> Sequence[RowMapping]:
        with self._reader.sync_engine.begin() as connection:
            return connection.execute(statement, parameters).mappings().all()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with self._writer.sync_engine.begin() as connection:
            return work(connection)

    @property
    def pool(self) -> tuple[int, int]:
        """Connections in use and idle."""
        pool = self._reader.sync_engine.pool
        out = int(getattr(pool, "checkedout", lambda: 0)())
        return out, int(getattr(pool, "checkedin", lambda: 0)())

    async def answers(self) -> None:
        """Raises DatabaseUnavailable when it doesn't."""
        await self.fetch(text("SELECT 1"))

    async def now(self) -> datetime:
        """By the clock of the database's machine, UTC: that of who commands may be wrong."""
        if not self.is_postgres:  # which is this machine
            return datetime.now(UTC)
        async with self.read() as connection:
            there: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        return there.astimezone(UTC)

    async def close(self) -> None:
        await self._reader.dispose()

    @contextmanager
    def _outages(self) -> Iterator[None]:
        """What the driver says of an outage, as DatabaseUnavailable: its own words, with addresses, go to the log."""
        try:
            yield
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database has no free connection: try again in a moment") from error
        except (OperationalError, InterfaceError) as error:
            if not self._is_outage(error):
                raise
            self._tell(error)
            raise DatabaseUnavailable("the database can't be used now (see the log): try again soon") from error
        except DataError as error:
            if "NUL (0x00)" not in str(error.orig):
                raise
            raise UnstorableText("a value holds the character U+0000, which can't be stored: leave it out") from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") == _READ_ONLY:
                raise DatabaseUnavailable("the database takes no changes now: try again soon") from error
            if not error.connection_invalidated:
                raise
            self._tell(error)
            raise DatabaseUnavailable("the database went away (see the log): try again soon") from error

    def _is_outage(self, error: DBAPIError) -> bool:
        if self.is_postgres:
            return True
        from serving.adapters.sqlite import is_outage

        return is_outage(error.orig)

    def _tell(self, error: DBAPIError) -> None:
        if time.monotonic() >= self._tell_again:
            self._tell_again = time.monotonic() + TELL_AGAIN_SECONDS
            logger.warning("the database can't be used: %s", _first_line(error))


async def open_database(url: str, size: PoolSize = PoolSize()) -> Database:  # noqa: B008 - frozen
    """Opens the database; SQLite gets its tables here, PostgreSQL by `copydesk migrate`.

    Raises DatabaseUnusable, DatabaseUnavailable and SchemaBehind.
    """
    parsed = _parsed(url)
    database = await _connected(parsed, size)
    try:
        if not database.is_postgres:
            await migrate_database(database)
        else:
            await _check_revision(database)
    except BaseException:
        await database.close()
        raise
    return database


async def open_reporting(url: str, size: PoolSize) -> Database:
    """A connection that the server lets read only, to a replica or the same database.

    It connects when it is first used: a replica that is away is no reason not to start.

    Raises DatabaseUnusable.
    """
    return await _connected(_parsed(url), size, read_only=True)


async def migrate_database(database: Database) -> str:
    """Brings the tables to this release's revision and returns it; several processes may do so at once."""
    async with database.write() as connection:
        return await connection.run_sync(migrate)


async def open_and_migrate(url: str) -> str:
    """What `copydesk migrate` does; raises DatabaseUnusable and DatabaseUnavailable."""
    database = await _connected(_parsed(url), PoolSize())
    try:
        return await migrate_database(database)
    finally:
        await database.close()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # Its own text may quote a password.
        raise DatabaseUnusable(
            "DB_CONNECTION_STRING is not a database address: write postgresql://USER:PASSWORD@HOST/NAME, "
            "or unset it for SQLite"
        ) from error
    if parsed.drivername not in POSTGRES and not parsed.drivername.startswith("sqlite"):
        raise DatabaseUnusable(
            f"DB_CONNECTION_STRING names {parsed.drivername!r}: PostgreSQL (postgresql://USER:PASSWORD@HOST/NAME) "
            "and SQLite are supported; unset it for the default"
        )
    return parsed


async def _connected(url: URL, size: PoolSize, *, read_only: bool = False) -> Database:
    if url.drivername in POSTGRES:
        try:
            return Database(postgres_engine(url, size, read_only=read_only))
        except ImportError as error:
            raise DatabaseUnusable(
                "DB_CONNECTION_STRING names PostgreSQL and its driver is missing: pip install copydesk[azure]"
            ) from error
    from serving.adapters.sqlite import (  # where it is used: on PostgreSQL it's memory for nothing
        NotUsable,
        sqlite_engine,
    )

    try:
        return Database(await sqlite_engine(url))
    except OSError as error:
        raise DatabaseUnusable(
            f"{error.filename} can't be made ({error.strerror}): set COPYDESK_HOME elsewhere"
        ) from error
    except NotUsable as error:
        raise DatabaseUnusable(f"{url.database} can't be opened ({error}): set COPYDESK_HOME elsewhere") from error


async def _check_revision(database: Database) -> None:
    async with database.read() as connection:
        found = await connection.run_sync(current_revision)
    if is_behind(found):
        raise SchemaBehind(
            f"the database is at revision {found or 'none'}, this release needs a later one: run `copydesk migrate`"
        )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
