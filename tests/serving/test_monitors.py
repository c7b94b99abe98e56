"""What is looked at now and then, by whichever process is first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from agent.settings import ModelSettings
from registry.connection import Registry, connect
from registry.errors import RegistryUnreachable
from registry.settings import RegistrySettings
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.stores import WorkerStores
from serving.app import utc_now
from serving.chores import SOON, Chores
from serving.edge import open_edge
from serving.ports.monitors import Look, Monitor, Monitored, Verdict
from serving.settings import ServingSettings
from serving.shared import shared
from serving.telling import PutOff
from serving.worker import Worker
from tests.embedded import with_mlflow
from tests.serving.ticks import Moved
from tests.waiting import soon

FINE = Look(Verdict.FINE, "it is as it was")
ALARM = Look(Verdict.ALARM, "it is something else")
UNANSWERED = Look(Verdict.UNCLEAR, "nobody answered", soon=True)


class Watching:
    """Sees what it is told to, and counts."""

    every = timedelta(days=1)

    def __init__(self, name: str, *seen: Look | Exception) -> None:
        self.name, self._seen = name, list(seen)
        self.looks = 0
        self.go = asyncio.Event()
        self.go.set()

    async def look(self) -> Look:
        self.looks += 1
        await self.go.wait()
        seen = self._seen.pop(0)
        if isinstance(seen, Exception):
            raise seen
        return seen


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return connect(RegistrySettings(home=with_mlflow(tmp_path / "mlflow")))


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture
async def process(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, clock: Moved
) -> AsyncIterator[Callable[[Monitor], Chores]]:
    """The chores of a process that has such a monitor."""
    async with shared(settings, ModelSettings(), stores.database, clock) as between:

        def made(*monitors: Monitor) -> Chores:
            return Chores(
                settings,
                stores,
                leases=stores.leases,
                blobs=FolderBlobs(settings.articles),
                registry=registry,
                shared=between,
                clock=clock,
                monitors=monitors,
            )

        yield made


async def test_one_of_all_processes_looks_and_again_a_day_later(
    process: Callable[[Monitor], Chores], clock: Moved
) -> None:
    watching = Watching("model", FINE, ALARM)
    one, other = process(watching), process(watching)
    assert [await one.monitor(), await other.monitor(), await one.monitor()] == [(Monitored("model", FINE),), (), ()]
    clock.by = timedelta(days=1, seconds=1)
    assert [await other.monitor(), await one.monitor()] == [(Monitored("model", ALARM),), ()]


async def test_nobody_else_looks_meanwhile(process: Callable[[Monitor], Chores]) -> None:
    watching = Watching("model", FINE)
    watching.go.clear()
    looking = asyncio.create_task(process(watching).monitor())
    await soon("it looks", lambda: watching.looks)
    assert await process(watching).monitor() == ()
    watching.go.set()
    assert await looking == (Monitored("model", FINE),)


async def test_what_nobody_answered_is_asked_again_within_the_hour(
    process: Callable[[Monitor], Chores], clock: Moved
) -> None:
    watching = Watching("model", UNANSWERED, FINE)
    chores = process(watching)
    await chores.monitor()
    clock.by = SOON - timedelta(minutes=1)
    assert await chores.monitor() == ()
    clock.by = SOON + timedelta(seconds=1)
    assert await chores.monitor() == (Monitored("model", FINE),)


async def test_one_that_can_not_look_is_put_off_and_holds_up_no_other(
    process: Callable[..., Chores], clock: Moved, caplog: pytest.LogCaptureFixture
) -> None:
    away = RegistryUnreachable("MLflow can't be reached")
    chores = process(Watching("model", away, FINE), Watching("other", FINE))
    first = await chores.monitor()
    assert first == (Monitored("model", PutOff(str(away), blocked=True)), Monitored("other", FINE))
    assert "the monitor model could not look: MLflow can't be reached" in caplog.text
    assert await chores.monitor() == ()  # what it asked for until then may have been paid for
    clock.by = SOON + timedelta(seconds=1)
    assert await chores.monitor() == (Monitored("model", FINE),)


async def test_one_that_goes_wrong_is_put_off_without_its_words(
    process: Callable[..., Chores], caplog: pytest.LogCaptureFixture
) -> None:
    found = await process(Watching("model", ValueError("a word of an article")), Watching("other", FINE)).monitor()
    assert found == (Monitored("model", PutOff("an unexpected ValueError")), Monitored("other", FINE))
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_round_tells_of_alarms_and_of_what_it_could_not_look_at(process: Callable[..., Chores]) -> None:
    watching = Watching("model", ALARM)
    done = await process(watching).all()
    assert (done.monitored, done.alarms, done.blocked) == ((Monitored("model", ALARM),), True, False)
    away = Watching("other", RegistryUnreachable("MLflow can't be reached"))
    done = await process(away).all()
    assert (done.alarms, done.blocked) == (True, False)


async def test_one_that_is_stopped_leaves_it_to_the_next(process: Callable[[Monitor], Chores]) -> None:
    watching = Watching("model", FINE)
    watching.go.clear()
    looking = asyncio.create_task(process(watching).monitor())
    await soon("it looks", lambda: watching.looks)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    watching.go.set()
    assert await process(watching).monitor() == (Monitored("model", FINE),)


async def test_a_worker_looks(
    settings: ServingSettings, stores: WorkerStores, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    watching, stopping = Watching("model", ALARM), asyncio.Event()
    blobs = FolderBlobs(settings.articles)
    async with shared(settings, ModelSettings(), stores.database, utc_now) as between, open_edge(settings) as edge:
        worker = Worker(settings, stores, registry, between, edge, blobs, monitors=(watching,))
        working = asyncio.create_task(worker.work(stopping))
        await soon("it is told", lambda: "the monitor model: it is something else" in caplog.text)
        told = b'compliance_monitor_looks_total{monitor="model",verdict="alarm"} 1.0'
        await soon("the metric says so", lambda: told in worker.metrics.text())
        stopping.set()
        await asyncio.wait_for(working, 60)
    assert watching.looks == 1


async def test_a_worker_that_stops_waits_for_no_look(
    settings: ServingSettings, stores: WorkerStores, registry: Registry
) -> None:
    watching, stopping = Watching("model", FINE), asyncio.Event()
    watching.go.clear()
    patient = settings.model_copy(update={"shutdown_seconds": 3600})
    blobs = FolderBlobs(settings.articles)
    async with shared(patient, ModelSettings(), stores.database, utc_now) as between, open_edge(patient) as edge:
        worker = Worker(patient, stores, registry, between, edge, blobs, monitors=(watching,))
        working = asyncio.create_task(worker.work(stopping))
        await soon("it looks", lambda: watching.looks)
        stopping.set()
        await asyncio.wait_for(working, 60)
    assert watching.looks == 1
