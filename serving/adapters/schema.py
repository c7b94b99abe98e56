"""The revision of the tables: which one a database is at, and how it gets to this release's.

Migrations only ever expand what the release before uses; what it no longer uses is dropped a release later. So the
release before goes on working on this one's tables while a rollout replaces it.
"""

import logging
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from agent.errors import CopydeskError

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 4_207_515_130  # of this project's migrations, among a server's advisory locks


class SchemaBehind(CopydeskError):
    """The tables are older than this release."""

    type = "schema-behind"
    status = 503


@cache
def revisions() -> tuple[str, ...]:
    """Known revisions in their order: the names of the migrations' files begin with them."""
    return tuple(sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def is_behind(revision: str | None) -> bool:
    """A revision this release doesn't know is a later one's, which it can work on."""
    return revision is None or revision in revisions()[:-1]


def migrate(connection: Connection) -> str:
    """In the connection's transaction: all of it or nothing. Returns the revision."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = current_revision(connection)
    if found is not None and not is_behind(found):
        return found
    # Imported where there is something to do: the API's memory counts.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it lists its plugins
    command.upgrade(config, "head")
    logger.info("the database was migrated from revision %s to %s", found or "none", revisions()[-1])
    return revisions()[-1]
