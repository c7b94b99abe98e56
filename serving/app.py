"""Puts the API together. MLflow, LangGraph and pandas stay out of this process: they are the worker's."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from serving.access.settings import AccessSettings
from serving.access.sign_in import SignIn
from serving.adapters.blob_stores import open_blobs
from serving.adapters.database import Database
from serving.adapters.measured import MeasuredBlobs, MeasuredCache
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_backlog import SqlBacklog
from serving.adapters.sql_decisions import SqlGateDecisions
from serving.adapters.sql_figures import SqlFigures
from serving.adapters.sql_intake import SqlIntake
from serving.adapters.sql_registry_hints import SqlRegistryHints
from serving.adapters.sql_rollouts import SqlRollouts
from serving.adapters.sql_runs import SqlRuns
from serving.adapters.sql_switches import SqlSwitches
from serving.adapters.sql_trail import SqlTrail
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import open_stores
from serving.addin.place import place_of
from serving.addin.routes import router as addin
from serving.api import admin, batches, checks, events, feedback, health, jobs, registry_webhook, sessions, versions
from serving.api.access import admitted
from serving.api.api_version import ApiVersion, Deprecations, description_of
from serving.api.observed import Observed
from serving.api.problems import RESPONSES, add_problem_handlers
from serving.api.rate_limit import RateLimitHeaders
from serving.api.request_limits import Limits, RequestLimits
from serving.api.same_site import SameSite
from serving.api.schemas import CheckIn
from serving.api.security_headers import SecurityHeaders
from serving.api.services import Services
from serving.composition import answers_of
from serving.dependencies import Dependencies, Dependency
from serving.edge import Edge, open_edge
from serving.exposition import Exposition
from serving.metrics import ApiMetrics
from serving.pages import admin as admin_page
from serving.pages import guidelines, promotions, runs, sign_in
from serving.pages import status as status_page
from serving.pages.layout import unknown_path
from serving.pages.routes import router as pages
from serving.ports.storage import BlobStore
from serving.ports.versions import ServedVersions
from serving.settings import ServingSettings
from serving.tracing import Traces, TracingSettings, open_traces
from serving.traffic import Traffic
from serving.usecases.readiness import ready
from serving.watch import Watch

NO_BLOB = "0" * 64  # whoever says that it isn't there has answered


def utc_now() -> datetime:
    return datetime.now(UTC)


V1 = ApiVersion(
    "v1",
    (
        jobs.router,
        sessions.router,
        checks.router,
        batches.router,
        jobs.short,
        events.router,
        feedback.router,
        versions.router,
        admin.router,
    ),
    direct=jobs.direct,
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
        async with _services(settings, access, metrics, traces) as app.state.services:
            yield
        await asyncio.to_thread(traces.close)

    # The pages that FastAPI would show the description on load their viewer from the internet.
    app = Application(
        title="Copydesk",
        version=version("copydesk"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=RESPONSES,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours say less of an article: `tracing`
    )
    app.state.place = place_of(settings, access)
    add_problem_handlers(app)
    app.add_exception_handler(404, unknown_path)
    _add_middleware(app, settings, api_versions, metrics, traces)
    _add_routes(app, api_versions)
    _describe_body(app)
    return app


@asynccontextmanager
async def _services(
    settings: ServingSettings, access: AccessSettings, metrics: ApiMetrics, traces: Traces
) -> AsyncIterator[Services]:
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
        yield Services(
            settings=settings,
            jobs=stores.jobs,
            batches=stores.batches,
            feedback=stores.feedback,
            approvals=stores.feedback,
            figures=SqlFigures(stores.reporting),
            runs=SqlRuns(stores.reporting),
            backlogs=backlogs,
            keys=keys,
            blobs=blobs,
            answers=answers_of(stores, blobs, cache, shared=edge.shared),
            trail=SqlTrail(stores.database),
            watch=watch,
            versions=versions,
            decisions=SqlGateDecisions(stores.database),
            hints=SqlRegistryHints(stores.database),
            traffic=Traffic(
                SqlIntake(stores.database), SqlRollouts(stores.database), versions, clock=utc_now, ticks=time.monotonic
            ),
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
        await watch.close()


def _add_middleware(
    app: FastAPI,
    settings: ServingSettings,
    api_versions: Sequence[ApiVersion],
    metrics: ApiMetrics,
    traces: Traces,
) -> None:
    """From the innermost to the outermost."""
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(
        RequestLimits, limits=Limits(body_seconds=settings.body_seconds, answer_seconds=settings.answer_seconds)
    )
    if any(api_version.headers for api_version in api_versions):
        app.add_middleware(Deprecations, versions=api_versions)
    app.add_middleware(SameSite, hosts=frozenset(settings.hosts))
    app.add_middleware(Observed, metrics=metrics, traces=traces)


def _add_routes(app: FastAPI, api_versions: Sequence[ApiVersion]) -> None:
    app.router.routes[:0] = [route for api_version in api_versions for route in api_version.direct]
    for api_version in api_versions:
        first = api_version is api_versions[0]
        for router in api_version.routers:
            app.include_router(router, dependencies=[Depends(admitted)], include_in_schema=first)
        if not first:
            app.include_router(description_of(api_version, release=app.version))
    for router in (health.router, registry_webhook.router, addin, pages, *REPORTS):
        app.include_router(router)


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
