"""Puts the API together. MLflow, LangGraph and pandas stay out of this process: they are the worker's."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version

import uvicorn
from fastapi import Depends, FastAPI

from serving.access.settings import AccessSettings
from serving.access.sign_in import SignIn
from serving.adapters.database import open_database
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_switches import SqlSwitches
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import open_stores
from serving.addin.place import place_of
from serving.addin.routes import router as addin
from serving.answers import Answers
from serving.api import admin, batches, checks, events, health, jobs, sessions, versions
from serving.api.access import admitted
from serving.api.body_limit import BodyLimit
from serving.api.problems import RESPONSES, add_problem_handlers
from serving.api.rate_limit import RateLimitHeaders
from serving.api.same_site import SameSite
from serving.api.schemas import CheckIn
from serving.api.services import Services
from serving.edge import open_edge
from serving.errors import PortTaken
from serving.pages.routes import router as pages
from serving.settings import ServingSettings
from serving.watch import Watch


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: ServingSettings, access: AccessSettings) -> FastAPI:
    """The API and the page, on the stores that the settings name."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_stores(settings) as stores, open_edge(settings) as edge:
            blobs, watch = FolderBlobs(settings.articles), Watch(stores.jobs.revisions)
            app.state.services = Services(
                settings=settings,
                database=stores.database,
                jobs=stores.jobs,
                batches=stores.batches,
                blobs=blobs,
                answers=Answers(stores.jobs, blobs, edge.cache, shared=edge.shared),
                watch=watch,
                versions=SqlServedVersions(stores.database),
                cache=edge.cache,
                limits=edge.limits,
                sign_in=SignIn(access, SqlApiKeys(stores.database), edge.revocations, utc_now),
                audit=SqlAudit(stores.database),
                switches=SqlSwitches(stores.database),
                clock=utc_now,
            )
            yield
            await watch.close()

    # The pages that FastAPI would show the description on load their viewer from the internet.
    app = FastAPI(
        title="Copydesk",
        version=version("copydesk"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=RESPONSES,
    )
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(BodyLimit)
    app.add_middleware(SameSite, hosts=frozenset(settings.hosts))
    app.state.place = place_of(settings, access)
    add_problem_handlers(app)
    for router in (
        sessions.router,
        checks.router,
        batches.router,
        jobs.router,
        jobs.short,
        events.router,
        versions.router,
        admin.router,
    ):
        app.include_router(router, dependencies=[Depends(admitted)])
    for router in (health.router, addin, pages):
        app.include_router(router)
    _describe_body(app)
    return app


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


async def _try_database(settings: ServingSettings) -> None:
    await (await open_database(settings.database_url, settings.pool)).close()


def serve(settings: ServingSettings, access: AccessSettings) -> None:
    """Runs the API until it is told to stop.

    Raises UnsafeAddress, PortTaken and DatabaseUnusable before anything starts.
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
        asyncio.run(_try_database(settings))
        config = uvicorn.Config(create_app(settings, access), log_level="warning", access_log=False)
        uvicorn.Server(config).run([listener])
