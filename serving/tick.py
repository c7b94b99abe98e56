"""One round of the periodic work, for a platform's own scheduler."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from agent.settings import ModelSettings
from registry.connection import Registry, connect
from registry.retention import forget_articles
from registry.settings import RegistrySettings
from serving.adapters.announced_leases import AnnouncedLeases
from serving.adapters.blob_stores import open_blobs
from serving.adapters.sql_retention import SqlRetention
from serving.adapters.stores import open_stores, open_worker_stores
from serving.chores import Chores, Monitors, Ticked, no_monitors, purge_now
from serving.composition import answers_of
from serving.edge import open_edge
from serving.settings import ServingSettings
from serving.shared import shared
from serving.usecases.purge import Purged


def tick(settings: ServingSettings, monitors: Monitors = no_monitors) -> Ticked:
    """Beside running workers, too. Raises DatabaseUnavailable, SchemaBehind, BlobStoreUnusable and RegistryError."""
    return asyncio.run(_tick(settings, monitors))


def purge(settings: ServingSettings) -> Purged:
    """Whether it was done today or not."""
    return asyncio.run(_purge(settings))


def would_purge(settings: ServingSettings) -> Purged:
    """How much of each is old enough; batches, articles and log files aren't counted."""
    return asyncio.run(_would_purge(settings))


async def _tick(settings: ServingSettings, monitors: Monitors) -> Ticked:
    async with _chores(settings, monitors) as chores:
        return await chores.all()


@asynccontextmanager
async def _chores(settings: ServingSettings, monitors: Monitors) -> AsyncIterator[Chores]:
    registry = await _registry(settings, may_be_down=True)  # whatever else is due doesn't wait for MLflow
    async with (
        open_worker_stores(settings, _now) as stores,
        shared(settings, ModelSettings(), stores.database, _now) as between,
        open_edge(settings) as edge,
        open_blobs(settings) as blobs,
    ):
        answers = answers_of(stores, blobs, edge.cache, shared=edge.shared)
        yield Chores(
            settings,
            stores,
            leases=AnnouncedLeases(stores.leases, answers.changed),
            blobs=blobs,
            registry=registry,
            shared=between,
            clock=_now,
            monitors=monitors(settings, stores, registry, between),
        )


async def _purge(settings: ServingSettings) -> Purged:
    registry = await _registry(settings)
    async with open_stores(settings) as stores, open_blobs(settings) as blobs:
        return await purge_now(SqlRetention(stores.database), blobs, registry, settings, _now())


async def _would_purge(settings: ServingSettings) -> Purged:
    registry, now = await _registry(settings), _now()
    async with open_stores(settings) as stores:
        articles, entries = now - settings.ages.articles, now - settings.ages.audit
        jobs, audit = await SqlRetention(stores.database).old(articles=articles, entries=entries)
    runs = await asyncio.to_thread(forget_articles, registry, articles, dry_run=True)
    return Purged(jobs=jobs, runs=runs, audit=audit)


async def _registry(settings: ServingSettings, *, may_be_down: bool = False) -> Registry:
    return await asyncio.to_thread(connect, RegistrySettings(home=settings.home), may_be_down=may_be_down)


def _now() -> datetime:
    return datetime.now(UTC)
