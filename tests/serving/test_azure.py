"""The API and a worker as processes that store articles in Azure Blob Storage."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from tests.agent.build import pack
from tests.azurite_server import Azurite, azurite_server
from tests.serving.build import TEXT
from tests.serving.service import Service, ended, service, submit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Azurite]:
    with azurite_server(tmp_path / "azurite") as server:
        yield server


@pytest.fixture
def running(tmp_path: Path, store: Azurite) -> Iterator[Service]:
    with service(tmp_path, environment={"BLOB_CONNECTION_STRING": store.connection_string}) as running:
        running.make_champion(pack())
        yield running


def drop(store: Azurite, name: str, data: bytes) -> None:
    with BlobServiceClient.from_connection_string(store.connection_string) as client:
        client.get_blob_client("articles", name).upload_blob(data)


def checked(client: httpx.Client, id: str) -> tuple[str, str]:
    job = ended(client, id)
    return job["status"], client.get(f"/api/v1/jobs/{id}/result").json()["text"]


def test_articles_are_checked_from_the_blob_store_and_through_its_outage(running: Service, store: Azurite) -> None:
    with running.api() as client:
        running.start_worker()
        assert checked(client, submit(client)) == ("completed", TEXT)
        drop(store, "inbox/heat.md", b"# Heat\n\nExperts say so.")
        response = client.post("/api/v1/compliance/check", json={"article": {"blob": "inbox/heat.md"}})
        assert checked(client, response.json()["job_id"]) == ("completed", "Heat\n\nExperts say so.")
        assert not (running.home / "articles").exists()
        store.stop()
        away = client.post("/api/v1/compliance/check", json={"article": {"text": "Another story."}}, timeout=60)
        assert (away.status_code, away.json()["type"]) == (503, "blob-store-unavailable")
        store.start()
        assert checked(client, submit(client, "Another story.")) == ("completed", "Another story.")


def test_a_wrong_key_ends_each_process_at_the_start_with_the_way_out(tmp_path: Path, store: Azurite) -> None:
    wrong = store.connection_string.replace("AccountKey=", "AccountKey=QUFB")
    with service(tmp_path, environment={"BLOB_CONNECTION_STRING": wrong}) as running:
        running.make_champion(pack())
        started = [running.start(command) for command in ("api", "worker", "tick")]
        assert [process.wait() for process in started] == [2, 2, 2]
        said = " ".join(running.logs().split())
    assert said.count("see in BLOB_CONNECTION_STRING whether its key or SAS is right") == 3
    assert "Traceback" not in said
    assert "QUFB" not in said
