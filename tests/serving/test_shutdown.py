"""SIGTERM to real processes: what runs is finished or handed back, and nobody waits for long."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from agent.spec import ModelSpec
from tests.agent.build import pack, prompt_guideline
from tests.scripted_model import Scripted, ScriptedModel
from tests.serving.service import Service, answers, ended, free_port, service, status, submit
from tests.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

JUDGED = pack(*(prompt_guideline(f"rule-{number}", title=f"Rule {number}") for number in range(3)))


@contextmanager
def slow_service(folder: Path, **environment: str) -> Iterator[tuple[Service, ScriptedModel]]:
    """Its model doesn't answer for half a minute the first time it is asked."""
    slow, quick = Scripted(seconds=30), Scripted()
    with ScriptedModel({"rule-0": [slow, quick]}, default=quick) as model:
        asking = {"COPYDESK_MODEL_URL": model.url, "COPYDESK_MODEL_MAX_IN_FLIGHT": "1", "COPYDESK_LEASE_SECONDS": "60"}
        with service(folder, environment=asking | environment) as running:
            running.make_champion(JUDGED, ModelSpec(deployment="m"))
            yield running, model


def test_a_worker_hands_back_what_takes_too_long_and_another_goes_on_at_once(tmp_path: Path) -> None:
    with slow_service(tmp_path, COPYDESK_SHUTDOWN_SECONDS="1") as (running, model), running.api() as client:
        worker = running.start_worker()
        id = submit(client)
        eventually("the model is asked", lambda: model.calls)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(25) == 0
        assert (status(client, id)["status"], status(client, id)["position"]) == ("queued", 1)
        running.start("worker")
        assert ended(client, id)["status"] == "completed"  # long before its lease would have run out
        assert "was handed back in attempt 1" in " ".join(running.logs().split())


def test_event_streams_end_and_what_is_being_answered_is_finished(tmp_path: Path) -> None:
    with slow_service(tmp_path, COPYDESK_SHUTDOWN_SECONDS="30") as (running, _), running.api() as client:
        running.start_worker()
        id = submit(client)
        api = running.processes[0]
        heard: list[str] = []
        with socket.create_connection(("127.0.0.1", running.port)) as half_sent:
            half_sent.sendall(b"POST /api/v1/compliance/check HTTP/1.1\r\nHost: localhost\r\n")
            half_sent.sendall(b"Content-Type: application/json\r\nContent-Length: 46\r\n")
            half_sent.sendall(b"Expect: 100-continue\r\n\r\n")
            half_sent.settimeout(PATIENCE)
            assert half_sent.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            following = threading.Thread(target=lambda: heard.extend(follow(running.port, id)))
            following.start()
            eventually("somebody follows the job", lambda: heard)
            api.send_signal(signal.SIGTERM)
            following.join(PATIENCE)
            assert not following.is_alive()
            # It is still heard, so the stream didn't end with all that took too long.
            half_sent.sendall(b'{"article": {"text": "A story. Experts say."}}')
            assert half_sent.recv(1000).partition(b"\r\n")[0] == b"HTTP/1.1 202 Accepted"
        assert api.wait(40) == -signal.SIGTERM  # uvicorn raises it again when everything is closed
        assert not answers(f"http://127.0.0.1:{running.port}/healthz")


def follow(port: int, id: str) -> Iterator[str]:
    with httpx.stream("GET", f"http://127.0.0.1:{port}/api/v1/jobs/{id}/events", timeout=60) as response:
        yield from response.iter_lines()


def test_a_worker_tells_its_metrics_on_its_port(tmp_path: Path) -> None:
    port = free_port()
    with slow_service(tmp_path, COPYDESK_WORKER_METRICS_PORT=str(port)) as (running, model), running.api() as client:
        running.start_worker()
        running.start("worker")  # with the same port
        eventually(
            "the second says that it works without", lambda: "so this worker's metrics aren't told" in logs(running)
        )
        for number in range(2):
            submit(client, f"Story {number}. Experts say so.")
        url = f"http://127.0.0.1:{port}"
        assert answers(f"{url}/healthz")
        eventually("the model is asked", lambda: model.calls)
        told = httpx.get(f"{url}/metrics").text
    assert "compliance_job_wait_seconds_bucket" in told
    assert 'compliance_db_pool_connections{state="idle"}' in told


def logs(running: Service) -> str:
    return " ".join(running.logs().split())
