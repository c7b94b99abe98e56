"""The main job as a newcomer runs it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving.service import answers
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def environment(home: Path, **variables: str) -> dict[str, str]:
    return {**os.environ, "COPYDESK_HOME": str(home), "COLUMNS": "120", **variables}


def test_the_demo_works_twice_in_a_row(tmp_path: Path):
    command = [sys.executable, "-m", "pipelines", "demo"]
    for registered in ("Version 1 of copydesk-agent registered", "Version 1 of copydesk-agent was registered before"):
        done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert registered in done.stdout
        assert "POST /api/v1/compliance/check -> 202" in done.stdout
        assert "Leave private numbers and addresses out" in done.stdout
        assert re.search(r"metrics +score \d", done.stdout)
        assert "report.json" in done.stdout


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    from pipelines.serve import free_port

    port = free_port()
    variables = environment(tmp_path, COPYDESK_PORT=str(port))
    command = [sys.executable, "-m", "pipelines", "serve", "--mlflow-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
    yield process, f"http://127.0.0.1:{port}"
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_serve_says_what_it_serves_checks_an_article_and_stops_on_a_signal(service):
    process, address = service
    eventually("it is ready", lambda: answers(f"{address}/readyz"), 120)
    body = {"article": {"text": "We utilise it."}, "guidelines": ["plain-words"]}
    accepted = httpx.post(f"{address}/api/v1/compliance/check", json=body).json()

    def done() -> httpx.Response | None:
        found = httpx.get(address + accepted["links"]["result"])
        return None if found.status_code == 202 else found

    answer = eventually("it is checked", done)
    report = answer.json()["report"]
    assert [finding["quote"] for finding in report["findings"]] == ["utilise"]
    assert report["version"]["evidence"] == "forced: first start: not evaluated yet"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "ungated: forced, first start: not evaluated yet" in out
    assert out.rstrip().endswith("Stopped.")
