import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from serving.adapters.database import Database, open_database
from serving.adapters.sql_versions import SqlServedVersions
from serving.settings import ServingSettings
from tests.agent.build import guideline, pack
from tests.serving.build import NOW, evidence, served

LATER = NOW + timedelta(seconds=5)
OTHER = pack(guideline(title="Other words"))


@pytest.fixture
def versions(database: Database) -> SqlServedVersions:
    return SqlServedVersions(database)


async def test_there_is_no_champion_at_first(versions: SqlServedVersions) -> None:
    assert (await versions.champion(), await versions.all()) == (None, [])


async def test_a_version_comes_back_with_its_pack(versions: SqlServedVersions) -> None:
    await versions.put(served())
    assert await versions.champion() == served()


async def test_saying_it_again_moves_only_the_time(versions: SqlServedVersions) -> None:
    await versions.put(served())
    await versions.put(served(at=LATER))
    assert await versions.all() == [served(at=LATER)]


async def test_another_champion_takes_the_place_of_the_first(versions: SqlServedVersions) -> None:
    await versions.put(served("1"))
    await versions.put(served("2", of=OTHER, at=LATER))
    assert await versions.champion() == served("2", of=OTHER, at=LATER)
    assert await versions.all() == [served("2", of=OTHER, at=LATER), served("1", champion=False)]
    await versions.put(served("1", at=LATER))
    assert await versions.champion() == served("1", at=LATER)


async def test_workers_that_tell_of_two_champions_at_the_same_moment_leave_one(
    versions: SqlServedVersions, settings: ServingSettings
) -> None:
    other = await open_database(settings.database_url)  # as another process would
    await versions.put(served("1"))
    for number in range(2, 12):
        told = (versions.put(served(str(number))), SqlServedVersions(other).put(served("1")))
        await asyncio.gather(*told)
        assert [version.champion for version in await versions.all()].count(True) == 1
    await other.close()


async def test_new_evidence_for_the_same_version_is_taken_over(versions: SqlServedVersions) -> None:
    await versions.put(served())
    newer = replace(served(), stamp=served().stamp.model_copy(update={"evidence": "forced: another reason"}))
    await versions.put(newer)
    assert await versions.all() == [newer]


async def test_a_version_that_is_heard_of_stays_what_it_is(versions: SqlServedVersions) -> None:
    await versions.put(served("1"))
    await versions.put(served("2", of=OTHER))
    await versions.heard("1", LATER)
    await versions.heard("3", LATER)
    assert await versions.all() == [served("1", champion=False, at=LATER), served("2", of=OTHER)]


async def test_a_version_comes_back_with_what_stands_behind_it(versions: SqlServedVersions) -> None:
    known = replace(served(), evidence=evidence())
    await versions.put(known)
    await versions.put(served("2", of=OTHER))
    assert await versions.all() == [replace(known, champion=False), served("2", of=OTHER)]


async def test_a_version_that_is_promoted_anew_has_its_new_evidence(versions: SqlServedVersions) -> None:
    for known in (evidence(), evidence(at=LATER)):
        await versions.put(replace(served(), evidence=known))
    await versions.put(served())  # a worker that knows of none takes none away
    assert await versions.champion() == replace(served(), evidence=evidence(at=LATER))
