"""Migrations, on both databases: what they make is what the tables say."""

import asyncio
import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from serving.adapters.database import Database, migrate_database, open_and_migrate, open_database
from serving.adapters.schema import MIGRATIONS, SchemaBehind, current_revision, is_behind, revisions
from serving.adapters.tables import metadata
from tests.postgres_server import new_database
from tests.serving.build import submission

CONTRACTS = re.compile(
    r"op\.drop_(table|column)|alter_column|batch_alter|rename_table|nullable=False(?!.*server_default)"
)


def difference(connection: Connection) -> list[object]:
    ours = set(metadata.tables) | {"alembic_version"}
    absent = set() if connection.dialect.name == "postgresql" else {"ix_jobs_status_lookup"}
    options = {
        "include_name": lambda name, kind, _: kind != "table" or name in ours,
        "include_object": lambda _, name, *__: name not in absent,
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_what_migrations_make_is_what_the_tables_say(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.run_sync(difference) == []
        assert await connection.run_sync(current_revision) == revisions()[-1]


async def test_to_migrate_again_changes_nothing(database: Database) -> None:
    assert await migrate_database(database) == revisions()[-1]


async def test_a_database_of_a_release_before_revisions_keeps_its_jobs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/copydesk.db"
    database = await open_database(url)
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE alembic_version"))
        for table in reversed(metadata.sorted_tables):
            await connection.execute(text(f"DROP TABLE IF EXISTS {table.name}"))
        for statement in (Path(__file__).parent / "schema-before-revisions.sql").read_text().split(";\n"):
            await connection.execute(text(statement))
    await database.close()
    database = await open_database(url)
    async with database.read() as connection:
        assert await connection.run_sync(difference) == []
        assert (await connection.execute(text("SELECT id, priority, revision FROM jobs"))).all() == [("old", 0, 0)]
    await database.close()


async def test_a_server_that_was_not_migrated_says_how(postgres: str) -> None:
    url = new_database(postgres)
    with pytest.raises(SchemaBehind, match="at revision none, this release needs a later one: run `copydesk migrate`"):
        await open_database(url)
    assert await open_and_migrate(url) == revisions()[-1]
    await (await open_database(url)).close()


async def test_processes_that_migrate_at_once_agree(postgres: str) -> None:
    url = new_database(postgres)
    assert await asyncio.gather(*(open_and_migrate(url) for _ in range(4))) == [revisions()[-1]] * 4


def test_a_later_release_s_tables_are_good_enough() -> None:
    assert [is_behind(revision) for revision in (None, "0001", revisions()[-1], "9999")] == [True, True, False, False]


@pytest.mark.parametrize("path", sorted((MIGRATIONS / "versions").glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_a_migration_only_expands_what_the_release_before_uses(path: Path) -> None:
    """`# contract:` marks what may go because no release in use needs it."""
    for line in path.read_text().splitlines():
        if "op.add_column" in line or "op.drop" in line or "alter_column" in line:
            assert not CONTRACTS.search(line) or "# contract:" in line, line
    if "for column in (" in (source := path.read_text()):
        added = source.partition("op.add_column")[0].rpartition("for column in (")[2]
        assert all("server_default" in line for line in added.splitlines() if "nullable=False" in line)


async def test_the_release_before_goes_on_working_on_these_tables(database: Database) -> None:
    """It names only the columns it knew."""
    async with database.write() as connection:
        await connection.execute(text(OLD_INSERT), {"now": submission("x").job.submitted})
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT id, dead FROM jobs"))).all() == [("old", False)]


OLD_INSERT = """
INSERT INTO jobs (id, user_id, channel, document_id, title, language, version, code_digest, blob, status, attempt, done,
  guideline, reason, submitted_at, request_hash)
VALUES ('old', 'ada', 'api', '', '', 'en', '1', 'c', 'b', 'queued', 0, 0, '', '', :now, '')
"""
