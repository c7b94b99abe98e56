import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from serving.errors import PortTaken
from serving.server import serve
from serving.settings import ServingSettings
from tests.postgres_server import new_database
from tests.serving.conftest import OPEN

ASKED = ("/", "/readyz", "/metrics", "/status", "/runs", "/guidelines", "/api/v1/jobs", "/addin/taskpane.html")
IMPORTS = f"""
import asyncio, httpx, json, sys
from serving.app import create_app
from serving.settings import ServingSettings
from serving.access.settings import AccessSettings

async def asked():
    app = create_app(ServingSettings(), AccessSettings())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client:
        answers = [await client.get(path) for path in {ASKED}]
        answers.append(await client.post("/api/v1/compliance/check", json={{"article": {{"text": "We."}}}}))
        return [answer.status_code for answer in answers]

print(json.dumps([asyncio.run(asked()), sorted({{name.split(".")[0] for name in sys.modules}})]))
"""


def test_the_api_process_stays_light(postgres: str, migrated: str, redis_url: str, tmp_path: Path) -> None:
    """On the stores of production, with every kind of request answered."""
    environment = {
        "COPYDESK_HOME": str(tmp_path),
        "DB_CONNECTION_STRING": new_database(postgres, like=migrated),
        "REDIS_CONNECTION_STRING": redis_url,
    }
    told = subprocess.check_output([sys.executable, "-c", IMPORTS], env=os.environ | environment)
    statuses, names = json.loads(told)
    assert statuses == [200, 503, 200, 200, 200, 200, 200, 200, 503]  # no worker has served anything yet
    found = set(names)
    assert not found & {"mlflow", "langgraph", "langchain_core", "langchain_openai", "pandas", "numpy", "openai"}
    assert {"fastapi", "agent", "serving", "psycopg", "redis"} <= found


def test_a_port_that_is_taken_is_named(settings: ServingSettings) -> None:
    before = [path.name for path in settings.home.iterdir()]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 can't be used .* or set COPYDESK_PORT"):
            serve(settings.model_copy(update={"port": port}), OPEN)
    assert [path.name for path in settings.home.iterdir()] == before


async def test_the_page_is_part_of_the_application(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
