"""Puts the API together. MLflow, LangGraph and pandas stay out of this process: they are the worker's."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version

import uvicorn
from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from serving.access.settings import AccessSettings
from serving.access.sign_in import SignIn
from serving.adapters.blob_stores import open_blobs
from serving.adapters.database import Database, open_database
from serving.adapters.measured import MeasuredBlobs, MeasuredCache
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_backlog import SqlBacklog
from serving.adapters.sql_figures import SqlFigures
from serving.adapters.sql_runs import SqlRuns
from serving.adapters.sql_switches import SqlSwitches
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import open_stores
from serving.answers import Answers
from serving.api import admin, batches, checks, events, feedback, health, jobs, sessions, versions
from serving.api.access import admitted
from serving.api.api_version import ApiVersion, Deprecations, description_of
from serving.api.connections import limited
from serving.api.observed import Observed
from serving.api.problems import RESPONSES, add_problem_handlers
from serving.api.rate_limit import RateLimitHeaders
from serving.api.request_limits import Limits, RequestLimits
from serving.api.same_site import SameSite
from serving.api.schemas import CheckIn
from serving.api.security_headers import SecurityHeaders
from serving.api.services import Services
from serving.dependencies import Dependencies, Dependency
from serving.edge import Edge, open_edge
from serving.errors import PortTaken
from serving.exposition import Exposition
from serving.metrics import ApiMetrics
from serving.pages import admin as admin_page
from serving.pages import guidelines, promotions, runs, sign_in
from serving.pages import status as status_page
from serving.pages.routes import router as pages
from serving.ports import BlobStore, ServedVersions
from serving.settings import ServingSettings
from serving.tracing import TracingSettings, open_traces
from serving.usecases.readiness import ready
from serving.watch import Watch

NO_BLOB = "0" * 64  # whoever says that it isn't there has answered


def utc_now() -> datetime:
    return datetime.now(UTC)


V1 = ApiVersion(
    "v1",
    (
        sessions.router,
        checks.router,
        batches.router,
        jobs.router,
        jobs.short,
        events.router,
        feedback.router,
        versions.router,
        admin.router,
    ),
)


REPORTS = (
    runs.router,
    guidelines.router,
    promotions.router,
    status_page.router,
    admin_page.router,
    sign_in.router,
)


class Application(FastAPI):
    """The answers that are made around all middleware get the headers too."""

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack())


def create_app(
    settings: ServingSettings,
    access: AccessSettings,
    tracing: TracingSettings | None = None,
    *,
    api_versions: Sequence[ApiVersion] = (V1,),
) -> FastAPI:
    """The API and the page, on the stores that the settings name; traces as the environment says without `tracing`.

    `/openapi.json` is of the first version.
    """

    metrics, traces = ApiMetrics(), open_traces(tracing or TracingSettings(), "api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_stores(settings) as stores,
            open_edge(settings, not_counted=metrics.not_counted.inc) as edge,
            open_blobs(settings) as store,
        ):
            blobs, watch = MeasuredBlobs(store, metrics), Watch(stores.jobs.revisions)
            versions, cache = SqlServedVersions(stores.database), MeasuredCache(edge.cache, metrics)
            metrics.follow_pool(lambda: stores.database.pool)
            each = _dependencies(stores.database, versions, blobs, edge)
            dependencies, backlogs = Dependencies(each, time.monotonic), SqlBacklog(stores.database)
            keys = SqlApiKeys(stores.database)
            app.state.services = Services(
                settings=settings,
                database=stores.database,
                jobs=stores.jobs,
                batches=stores.batches,
                feedback=stores.feedback,
                approvals=stores.feedback,
                figures=SqlFigures(stores.reporting),
                runs=SqlRuns(stores.reporting),
                backlogs=backlogs,
                keys=keys,
                blobs=blobs,
                answers=Answers(stores.jobs, blobs, stores.feedback, cache, shared=edge.shared),
                watch=watch,
                versions=versions,
                cache=cache,
                limits=edge.limits,
                sign_in=SignIn(access, keys, edge.revocations, utc_now),
                audit=SqlAudit(stores.database, reporting=stores.reporting),
                switches=SqlSwitches(stores.database),
                metrics=metrics,
                traces=traces,
                dependencies=dependencies,
                exposition=Exposition(metrics, backlogs, dependencies, clock=utc_now, ticks=time.monotonic),
                clock=utc_now,
            )
            yield
            await watch.close()
        await asyncio.to_thread(traces.close)

    # The pages that FastAPI would show the description on load their viewer from the internet.
    app = Application(
        title="Copydesk",
        version=version("copydesk"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=RESPONSES,
    )
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(
        RequestLimits, limits=Limits(body_seconds=settings.body_seconds, answer_seconds=settings.answer_seconds)
    )
    if any(api_version.headers for api_version in api_versions):
        app.add_middleware(Deprecations, versions=api_versions)
    app.add_middleware(SameSite, hosts=frozenset({settings.host, *settings.allowed_hosts}))
    app.add_middleware(Observed, metrics=metrics, traces=traces)
    add_problem_handlers(app)
    for api_version in api_versions:
        first = api_version is api_versions[0]
        for router in api_version.routers:
            app.include_router(router, dependencies=[Depends(admitted)], include_in_schema=first)
        if not first:
            app.include_router(description_of(api_version, release=app.version))
    for router in (health.router, pages, *REPORTS):
        app.include_router(router)
    _describe_body(app)
    return app


def _dependencies(database: Database, versions: ServedVersions, blobs: BlobStore, edge: Edge) -> list[Dependency]:
    async def worker() -> None:
        await ready(versions, now=utc_now())

    async def articles() -> None:
        await blobs.get(NO_BLOB)

    found = [Dependency("database", database.answers), Dependency("worker", worker), Dependency("blobs", articles)]
    if edge.answers is not None:
        found.append(Dependency("redis", edge.answers, needed=False))
    return found


def _describe_body(app: FastAPI) -> None:
    """Submitting reads its body by itself, so its schema is added to the description here."""
    describe = app.openapi

    def described() -> dict[str, object]:
        document = describe()
        schema = CheckIn.model_json_schema(ref_template="#/components/schemas/{model}")
        definitions = schema.pop("$defs", {})
        document["components"]["schemas"] |= {"CheckIn": schema, **definitions}
        return document

    app.openapi = described  # type: ignore[method-assign]


async def _try_stores(settings: ServingSettings) -> None:
    await (await open_database(settings.database_url, settings.pool)).close()
    async with open_blobs(settings):
        pass


def serve(settings: ServingSettings, access: AccessSettings) -> None:
    """Runs the API until it is told to stop.

    Raises UnsafeAddress, PortTaken, DatabaseUnusable and BlobStoreUnusable before anything starts.
    """
    settings.must_be_safe(sign_in=access.required)
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(
                f"port {settings.port} on {settings.host} can't be used ({error.strerror}): "
                "stop what listens there, or set COPYDESK_PORT"
            ) from error
        asyncio.run(_try_stores(settings))
        app = create_app(settings, access)
        config = uvicorn.Config(
            app,
            http=limited(most=settings.most_connections, head_seconds=settings.head_seconds),
            ws="none",
            log_config=None,  # this process's own holds for it too
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds)),
        )
        Server(config, stopping=lambda: _end_streams(app)).run([listener])


def _end_streams(app: FastAPI) -> None:
    services: Services = app.state.services
    services.watch.end()


class Server(uvicorn.Server):
    """Told to stop, it accepts nothing, calls `stopping`, and finishes what it answers within its time."""

    def __init__(self, config: uvicorn.Config, *, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)
