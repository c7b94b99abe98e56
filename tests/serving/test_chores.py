"""The periodic work, by a worker or by a scheduler's call."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn, cast

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pydantic import SecretStr
from sqlalchemy import func, select

from agent.settings import ModelSettings
from registry.connection import Registry, connect
from registry.job_runs import find_job_run
from registry.settings import RegistrySettings
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.mlflow_versions import MlflowVersions
from serving.adapters.sql_locks import SqlLocks
from serving.adapters.stores import WorkerStores
from serving.adapters.tables import outbox
from serving.app import utc_now
from serving.chores import PURGE, PURGE_EVERY, Chores, Ticked, _each_once
from serving.edge import open_edge
from serving.errors import BlobStoreUnavailable, ChampionRefused
from serving.job import JobStatus
from serving.settings import ServingSettings
from serving.shared import shared
from serving.telling import PutOff, Tally, Telling
from serving.usecases.log_runs import HOLD
from serving.usecases.purge import Purged
from serving.worker import Worker
from tests.embedded import with_mlflow
from tests.registry.meanwhile import failing
from tests.serving.build import LEASE, claim, report, submission, unlogged
from tests.serving.receiver import receiver
from tests.serving.ticks import Moved
from tests.waiting import soon


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return connect(RegistrySettings(home=with_mlflow(tmp_path / "mlflow")))


@pytest.fixture
def clock() -> Moved:
    return Moved()


class Hanging(FolderBlobs):
    """A folder that isn't listed before it may go on, nor while it is broken."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()
        self.broken = False

    async def older_than(self, moment: datetime) -> AsyncIterator[str]:
        self.asked.set()
        await self.go.wait()
        if self.broken:
            raise BlobStoreUnavailable("the folder can't be listed")
        async for name in super().older_than(moment):
            yield name


@pytest.fixture
def hanging(settings: ServingSettings) -> Hanging:
    return Hanging(settings.articles)


@pytest.fixture
async def two(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved, hanging: Hanging
) -> AsyncIterator[tuple[Chores, Chores]]:
    """Of two processes."""
    async with shared(settings, ModelSettings(), stores.database, clock) as between:

        def made(blobs: FolderBlobs) -> Chores:
            return Chores(
                settings, stores, leases=stores.leases, blobs=blobs, registry=registry, shared=between, clock=clock
            )

        yield made(hanging), made(FolderBlobs(settings.articles))


async def test_a_round_takes_back_logs_and_purges(
    two: tuple[Chores, Chores], stores: WorkerStores, registry: Registry, clock: Moved
) -> None:
    for id in ("silent", "done"):
        await stores.jobs.add(submission(id, submitted=clock()))
    await claim(stores, clock() - 2 * LEASE)
    running = await claim(stores, clock())
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, clock()), await report())
    first = Ticked(taken_back=1, handed_out=0, logged=Tally(1), told=Tally(), called=Tally(), purged=Purged())
    assert await two[0].all() == first
    assert find_job_run(registry, running.id)
    assert await two[1].all() == Ticked(0, 0, logged=Tally(), told=Tally(), called=Tally(), purged=None)


AWAY = MlflowException("API request to http://mlflow failed")
REFUSED = MlflowException("it is too long")


@asynccontextmanager
async def telling(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved, **changed: object
) -> AsyncIterator[Chores]:
    async with shared(settings, ModelSettings(), stores.database, clock) as between:
        yield Chores(
            settings.model_copy(update=changed),
            stores,
            leases=stores.leases,
            blobs=FolderBlobs(settings.articles),
            registry=registry,
            shared=between,
            clock=clock,
        )


async def end(stores: WorkerStores, clock: Moved, *ids: str, callback_url: str = "") -> None:
    for id in ids:
        await stores.jobs.add(submission(id, submitted=clock(), callback_url=callback_url))
        await stores.jobs.cancel(id, clock())


async def attempts(stores: WorkerStores) -> int:
    async with stores.database.read() as connection:
        return await connection.scalar(select(func.sum(outbox.c.attempts))) or 0


async def test_a_round_asks_an_mlflow_that_is_away_once_and_says_what_waits(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved
) -> None:
    await end(stores, clock, "a", "b", "c")
    async with telling(settings, stores, failing(registry, "get_experiment_by_name", AWAY), clock) as chores:
        done = await chores.all()
    assert (done.logged.done, len(done.logged.put_off), done.logged.blocked, done.blocked) == (0, 1, True, True)
    assert "can't be reached" in done.logged.put_off[0].reason
    assert (await attempts(stores), await unlogged(stores.database)) == (1, 3)


async def test_a_round_tries_one_run_while_the_store_of_artifacts_is_away(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved
) -> None:
    for id in ("a", "b", "c"):
        await stores.jobs.add(submission(id, submitted=clock()))
        running = await claim(stores, clock())
        await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, clock()), await report())
    root = registry.settings.artifact_root
    root.write_text("where the disk was mounted")
    async with telling(settings, stores, registry, clock) as chores:
        done = await chores.all()
        assert (done.logged.done, len(done.logged.put_off), done.blocked) == (0, 1, True)
        assert f"MLflow's artifact store file://{root}" in done.logged.put_off[0].reason
        assert (await attempts(stores), await unlogged(stores.database)) == (1, 3)
        root.unlink()
        clock.by = timedelta(seconds=3)
        assert (await chores.all()).logged == Tally(3)


async def test_a_round_tries_past_what_mlflow_refuses_and_is_no_failure(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved
) -> None:
    await end(stores, clock, "a", "b", "c")
    async with telling(settings, stores, failing(registry, "create_run", REFUSED), clock) as chores:
        done = await chores.all()
    assert (done.logged.done, len(done.logged.put_off), done.blocked) == (0, 3, False)
    assert "it is too long" in done.logged.put_off[0].reason


@pytest.mark.parametrize(
    ("failure", "told", "blocked"), [(AWAY, "can't be reached", True), (REFUSED, "it is too long", False)]
)
async def test_a_purge_that_mlflow_holds_up_is_put_off(
    settings: ServingSettings,
    stores: WorkerStores,
    registry: Registry,
    clock: Moved,
    failure: MlflowException,
    told: str,
    blocked: bool,
) -> None:
    async with telling(settings, stores, failing(registry, "search_experiments", failure), clock) as chores:
        done = await chores.all()
    assert isinstance(done.purged, PutOff)
    assert (told in done.purged.reason, done.blocked) == (True, blocked)
    async with telling(settings, stores, registry, clock) as chores:
        assert (await chores.all()).purged == Purged()


class Late:
    """MLflow's client, whose every call takes its time and then fails, as one that hangs."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __getattr__(self, name: str) -> NoReturn:
        time.sleep(self.seconds)
        raise AWAY


async def test_clients_are_called_while_mlflow_hangs(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved
) -> None:
    hanging = replace(registry, client=cast("MlflowClient", Late(2.0)))
    with receiver() as called:
        await end(stores, clock, "a", callback_url=called.url)
        own = {"webhook_secret": SecretStr("whsec_" + "a" * 32), "callback_hosts": (called.host,)}
        async with telling(settings, stores, hanging, clock, **own) as chores:
            begun = asyncio.create_task(chores.all())
            await soon("the client is called", lambda: called.calls)
            assert await unlogged(stores.database) == 1
            assert not begun.done()
            done = await begun
    assert (done.called, done.logged.blocked) == (Tally(1), True)


async def test_a_client_that_does_not_answer_is_called_once_in_a_round(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved
) -> None:
    with receiver() as gone:
        pass
    own = {"webhook_secret": SecretStr("whsec_" + "a" * 32), "callback_hosts": (gone.host,)}
    await end(stores, clock, "a", "b", callback_url=gone.url)
    async with telling(settings, stores, registry, clock, **own) as chores:
        done = await chores.all()
    assert (done.called.done, len(done.called.put_off), done.blocked) == (0, 2, True)


async def test_what_falls_due_again_ends_a_round() -> None:
    """A receiver that hangs takes longer than the pause before it is called again."""
    rounds = iter([["a", "b"], ["b", "c"], ["c"]])

    async def some() -> list[Telling]:
        return [Telling(of, PutOff("late", blocked=True)) for of in next(rounds)]

    assert await _each_once(some) == Tally(0, (PutOff("late", blocked=True),) * 3)
    assert list(rounds) == [["c"]]


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


async def test_of_a_purge_that_died_nobody_waits_a_day(
    two: tuple[Chores, Chores], clock: Moved, hanging: Hanging
) -> None:
    hanging.go.clear()
    died = asyncio.create_task(two[0].purge())
    await hanging.asked.wait()
    assert await two[1].purge() is None
    clock.by = timedelta(minutes=5)
    assert await two[1].purge() == Purged()
    died.cancel()
    await asyncio.gather(died, return_exceptions=True)
    assert await two[1].purge() is None  # nor is it done twice


async def test_a_round_that_fails_holds_nobody_up(
    two: tuple[Chores, Chores], hanging: Hanging, stores: WorkerStores
) -> None:
    hanging.broken = True
    with pytest.raises(BlobStoreUnavailable, match="can't be listed"):
        await two[0].all()
    locks = SqlLocks(stores.database)
    assert [await locks.hold(name, "another", utc_now(), HOLD) for name in ("sweep", "log")] == [True, True]


async def test_a_worker_that_stops_waits_for_no_purge(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, hanging: Hanging
) -> None:
    hanging.go.clear()
    stopping = asyncio.Event()
    quick = settings.model_copy(update={"shutdown_seconds": 0.2})
    async with shared(quick, ModelSettings(), stores.database, utc_now) as between, open_edge(quick) as edge:
        working = asyncio.create_task(Worker(quick, stores, registry, between, edge, hanging).work(stopping))
        await hanging.asked.wait()
        stopping.set()
        await asyncio.wait_for(working, 60)
    assert await SqlLocks(stores.database).hold(PURGE, "another", utc_now(), HOLD)


@pytest.fixture
async def baffled(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, hanging: Hanging
) -> AsyncIterator[Worker]:
    """A worker whose registry holds what no release wrote."""
    broken = failing(registry, "get_registered_model", KeyError("what no release wrote"))
    async with shared(settings, ModelSettings(), stores.database, utc_now) as between, open_edge(settings) as edge:
        yield Worker(settings, stores, broken, between, edge, hanging)


async def test_a_registry_that_can_not_be_read_is_refused_by_name_and_metric(baffled: Worker) -> None:
    for _ in range(2):
        with pytest.raises(ChampionRefused, match="can't be read from the registry: KeyError"):
            await baffled._serve_champion()
    assert b"\ncompliance_champion_refused 1.0" in baffled.metrics.text()


async def test_a_registry_that_could_be_read_meanwhile_is_told_of_anew(
    baffled: Worker, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    between, broken = baffled.shared, baffled._versions
    sound = MlflowVersions(registry, utc_now, endpoint=between.endpoint, kept=between.kept)
    for baffled._versions in (broken, broken, sound, broken):
        with suppress(ChampionRefused):
            await baffled._serve_champion()
    assert caplog.text.count("the registry holds what no release wrote") == 2


async def test_a_purge_that_failed_is_tried_again_within_the_day(two: tuple[Chores, Chores], hanging: Hanging) -> None:
    hanging.broken = True
    with pytest.raises(BlobStoreUnavailable, match="can't be listed"):
        await two[0].purge()
    hanging.broken = False
    assert await two[1].purge() == Purged()
