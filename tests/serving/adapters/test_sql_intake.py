from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from serving.access.audit import Actor
from serving.adapters.database import Database
from serving.adapters.sql_intake import SqlIntake
from serving.adapters.sql_switches import SqlSwitches
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.tables import served_versions
from serving.ports.control import DRAIN, Switch
from serving.ports.intake import Terms
from tests.agent.build import guideline, pack
from tests.serving.build import NOW, served

LATER = NOW + timedelta(seconds=5)
OTHER = pack(guideline(title="Other words"))


@pytest.fixture
def intake(database: Database) -> SqlIntake:
    return SqlIntake(database)


@pytest.fixture
def versions(database: Database) -> SqlServedVersions:
    return SqlServedVersions(database)


async def test_at_first_it_is_open_and_nothing_is_served(intake: SqlIntake) -> None:
    assert await intake.terms() == Terms(drain=None, champion=None)


async def test_the_next_champion_is_known_at_once(intake: SqlIntake, versions: SqlServedVersions) -> None:
    for version in (served("1"), served("2", of=OTHER), served("1", at=LATER)):
        await versions.put(version)
        await versions.put(served("3", champion=False))
        assert (await intake.terms()).champion == version.bound


async def test_a_number_that_is_given_to_another_pack_is_another_version(
    intake: SqlIntake, versions: SqlServedVersions
) -> None:
    """As where MLflow's database was made anew."""
    stamp = served().stamp.model_copy(update={"pack_digest": "0" * 64, "digest": "0" * 64})
    other = replace(served(), stamp=stamp, pack=OTHER)
    for version in (served(), other):
        await versions.put(version)
        assert (await intake.terms()).champion == version.bound


async def test_a_switch_is_seen_at_once_and_other_switches_are_not_it(intake: SqlIntake, database: Database) -> None:
    switches, drain = SqlSwitches(database), Switch(DRAIN, "a new disk", "ops", NOW)
    await switches.turn_on(replace(drain, name="another"), via="test")
    assert (await intake.terms()).drain is None
    await switches.turn_on(drain, via="test")
    assert await intake.terms() == Terms(drain, champion=None)
    await switches.turn_off(DRAIN, Actor("ops", "test"), LATER)
    assert (await intake.terms()).drain is None


async def test_the_pack_is_read_once(intake: SqlIntake, versions: SqlServedVersions, database: Database) -> None:
    asked: list[str] = []
    engine = database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    await versions.put(served())
    asked.clear()
    for at in (NOW, LATER):
        await versions.heard("1", at)
        await intake.terms()
    assert sum("served_versions.pack" in statement for statement in asked) == 1


async def test_of_two_champions_the_one_that_was_told_of_last_counts(
    intake: SqlIntake, versions: SqlServedVersions, database: Database
) -> None:
    """As a release before could leave them."""
    await versions.put(served("2", of=OTHER))
    await versions.put(served("1", at=LATER))
    async with database.write() as connection:
        await connection.execute(served_versions.update().values(champion=True))
    assert (await intake.terms()).champion == served("1").bound
    champion = await versions.champion()
    assert champion
    assert champion.bound == served("1").bound
