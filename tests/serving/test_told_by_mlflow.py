"""Workers that hardly ever poll, and a real MLflow server that calls the API: it sends over plain http to loopback,
which it refuses elsewhere; its own two settings for local use allow it here. Everything else is as it ships.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow.environment_variables import _MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS, _MLFLOW_WEBHOOK_ALLOWED_SCHEMES

from registry.aliases import rollback
from tests.agent.build import guideline, pack
from tests.mlflow_server import mlflow_server
from tests.postgres_server import new_database
from tests.serving.deliveries import SECRET
from tests.serving.service import Service, service
from tests.serving.test_worker import said, served_at
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DOCS = Path(__file__).parents[2] / "docs" / "promotion.md"
SELDOM = {"COPYDESK_CHAMPION_POLL_SECONDS": "3600"}
LOCAL = {_MLFLOW_WEBHOOK_ALLOWED_SCHEMES.name: "http", _MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS.name: "true"}


@contextmanager
def told(folder: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, Any]]:
    """A service with a champion, and a client of its API.

    MLflow keeps its list of webhooks for a minute, so the webhook is made before anything else happens there.
    """
    environment = SELDOM | {"COPYDESK_REGISTRY_WEBHOOK_SECRET": SECRET, "DB_CONNECTION_STRING": database}
    with (
        mlflow_server(folder, environment=LOCAL) as mlflow,
        service(folder, environment=environment, mlflow=mlflow) as running,
    ):
        make_webhook(running, monkeypatch)
        with running.api() as client:
            running.make_champion(pack())
            yield running, client


def make_webhook(running: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the page on promotion says."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert running.registry.uri == running.mlflow  # to connect points this process there
    with monkeypatch.context() as given:
        given.setenv("PUBLIC_URL", f"http://127.0.0.1:{running.port}")
        given.setenv("COPYDESK_REGISTRY_WEBHOOK_SECRET", SECRET)
        exec(code, {})


def serving(running: Service, version: int) -> int:
    """How often a worker has said that it serves a version from now on."""
    return " ".join(running.logs().split()).count(f"version {version} is served, ")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_all_workers_take_a_new_champion_long_before_they_would_have_polled(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = ""
    if kind == "postgres":
        database = new_database(request.getfixturevalue("postgres"), like=request.getfixturevalue("migrated"))
    with told(tmp_path, database, monkeypatch) as (running, client):
        running.start_worker()
        running.start("worker")
        eventually("both serve version 1", lambda: serving(running, 1) == 2)
        heard = served_at(client)
        running.make_champion(pack(guideline(title="Second")))
        eventually("both serve version 2", lambda: serving(running, 2) == 2, 30)
        assert client.get("/readyz").json()["version"] == "2"
        rollback(running.registry, None, reason="worse", who="ada")
        eventually("both serve version 1 again", lambda: serving(running, 1) == 4, 30)
        assert said(running, "MLflow told of a change")
        last = eventually("version 1 is heard of", lambda: served_at(client) > heard and served_at(client))
        eventually("and again, without a poll", lambda: served_at(client) > last, 30)
