"""Runs the API as a process: its socket, its limits, its end."""

import asyncio
import gc
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from serving.access.settings import AccessSettings
from serving.adapters.blob_stores import open_blobs
from serving.adapters.database import open_database
from serving.api.connections import limited
from serving.api.services import Services
from serving.app import create_app
from serving.errors import PortTaken
from serving.settings import ServingSettings


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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what is there from now on stays: to look through it again took 0.1 s of whoever was answered

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)
