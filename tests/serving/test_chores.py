"""The periodic work, by a worker or by a scheduler's call."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.settings import ModelSettings
from registry.connection import Registry, connect
from registry.job_runs import find_job_run
from registry.settings import RegistrySettings
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.stores import WorkerStores
from serving.app import utc_now
from serving.chores import PURGE_EVERY, Chores, Ticked
from serving.job import JobStatus
from serving.settings import ServingSettings
from serving.shared import shared
from serving.usecases.purge import Purged
from tests.serving.build import LEASE, claim, report, submission


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return connect(RegistrySettings(home=tmp_path / "mlflow"))


class Moved:
    """The time of day, moved on by hand."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self):
        return utc_now() + self.by


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture
async def two(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved
) -> AsyncIterator[tuple[Chores, Chores]]:
    """Of two processes."""
    async with shared(settings, ModelSettings(), stores.database, clock) as between:

        def made() -> Chores:
            blobs = FolderBlobs(settings.articles)
            return Chores(
                settings, stores, leases=stores.leases, blobs=blobs, registry=registry, shared=between, clock=clock
            )

        yield made(), made()


async def test_a_round_takes_back_logs_and_purges(
    two: tuple[Chores, Chores], stores: WorkerStores, registry: Registry, clock: Moved
) -> None:
    for id in ("silent", "done"):
        await stores.jobs.add(submission(id, submitted=clock()))
    await claim(stores, clock() - 2 * LEASE)
    running = await claim(stores, clock())
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, clock()), await report())
    assert await two[0].all() == Ticked(taken_back=1, handed_out=0, logged=1, told=0, called=0, purged=Purged())
    assert find_job_run(registry, running.id)
    assert await two[1].all() == Ticked(taken_back=0, handed_out=0, logged=0, told=0, called=0, purged=None)


async def test_what_one_process_does_the_other_leaves(
    two: tuple[Chores, Chores], stores: WorkerStores, clock: Moved
) -> None:
    await stores.jobs.add(submission("a", submitted=clock()))
    assert await two[0].sweep() == (0, 0)
    await claim(stores, clock() - 2 * LEASE)
    assert await two[1].sweep() == (0, 0)
    assert await two[0].sweep() == (1, 0)


async def test_it_purges_once_a_day_whoever_does(two: tuple[Chores, Chores], clock: Moved) -> None:
    assert [await chores.purge() for chores in (*two, two[0])] == [Purged(), None, None]
    clock.by = PURGE_EVERY + timedelta(seconds=1)
    assert [await chores.purge() for chores in (two[1], two[0])] == [Purged(), None]


async def test_a_purge_that_failed_is_tried_again_within_the_day(
    two: tuple[Chores, Chores], settings: ServingSettings
) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.articles.mkdir(parents=True)
    (settings.articles / "ab").mkdir()
    (settings.articles / "ab" / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        await two[0].purge()
    (settings.articles / "ab" / "loop").unlink()
    assert await two[1].purge() == Purged()
