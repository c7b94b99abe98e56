import json
import socket
import subprocess
import sys

import httpx
import pytest

from serving.errors import PortTaken
from serving.server import serve
from serving.settings import ServingSettings
from tests.serving.conftest import OPEN

IMPORTS = """
import json, sys
from serving.app import create_app
from serving.settings import ServingSettings
from serving.access.settings import AccessSettings
create_app(ServingSettings(), AccessSettings())
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_the_api_process_stays_light() -> None:
    found = set(json.loads(subprocess.check_output([sys.executable, "-c", IMPORTS])))
    assert not found & {"mlflow", "langgraph", "langchain_core", "langchain_openai", "pandas", "numpy", "openai"}
    assert {"fastapi", "agent", "serving"} <= found


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
