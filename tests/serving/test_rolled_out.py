"""Rollouts and shadows as processes: the API, a worker, MLflow and the command line."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agent.spec import AgentSpec, ModelSpec
from pipelines.gate import policy_of
from registry.decisions import RECORD_KEY
from registry.version import MODEL_NAME
from registry.versions import register
from tests.agent.build import pack, prompt_guideline
from tests.registry.decided import decide
from tests.scripted_model import Question, Scripted, ScriptedModel, finds
from tests.serving.service import Service, ended, service
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SPECS = [
    AgentSpec(pack=pack(prompt_guideline(id, title=f"Rule {id}")), model=ModelSpec(deployment="m"))
    for id in ("old", "new")
]
NUMBERS = "Find numbers."
TERMS = "shares: [0.5, 1.0]\nleast_minutes: 0\nleast_jobs: 8\nfirst_look: 5\nfalse_aborts: 0.2\n"


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """It has an answer for the champion's rule; the challenger's gets one that can't be read."""
    with ScriptedModel({"new": [Scripted(text="no JSON")]}) as model:
        yield model


@pytest.fixture
def running(tmp_path: Path, model: ScriptedModel) -> Iterator[Service]:
    environment = {"COPYDESK_MODEL_URL": model.url, "COPYDESK_MODEL_ATTEMPTS": "1"}
    with service(tmp_path, environment=environment) as running:
        running.make_champion(SPECS[0].pack, SPECS[0].model)
        register(running.registry, SPECS[1])
        decide(running.registry, 2, policy=policy_of(None).digest)
        (tmp_path / "terms.yaml").write_text(TERMS)
        yield running


def command(running: Service, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COPYDESK", "MLFLOW"))}
    environment |= {"COPYDESK_HOME": str(running.home), "COLUMNS": "200", **running.environment}
    ran = subprocess.run(
        [sys.executable, "-m", "pipelines", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def checked(client: httpx.Client, number: int) -> str:
    """The version that checked a document of this number."""
    body = {"article": {"text": f"Story {number}."}, "document_id": f"d{number}", "language": "en"}
    job = ended(client, client.post("/api/v1/compliance/check", json=body).raise_for_status().json()["job_id"])
    return str(job["version"])


def is_served(client: httpx.Client, number: str) -> bool:
    return any(one["version"]["number"] == number for one in client.get("/api/v1/versions").json())


def test_a_challenger_whose_checks_fail_is_aborted_and_later_articles_are_the_champions(
    running: Service, tmp_path: Path
) -> None:
    with running.api() as client:
        running.start_worker()
        said = command(running, "rollout", "start", "2", "--terms", str(tmp_path / "terms.yaml"))
        assert "Version 2 gets 50% of the articles beside version 1" in said
        eventually("the challenger is served", lambda: is_served(client, "2"))
        seen = [checked(client, number) for number in range(24)]
        assert set(seen) == {"1", "2"}
        eventually("it is aborted", lambda: "version 2 aborted" in command(running, "rollout", "status"))
        status = command(running, "rollout", "status")
        assert "surely more" in status
        assert {checked(client, number) for number in range(24, 36)} == {"1"}
        assert client.get("/readyz").json()["version"] == "1"


def test_a_rollout_whose_record_is_gone_is_refused_by_the_worker(running: Service) -> None:
    with running.api():
        running.start_worker()
        command(running, "rollout", "start", "2")
        tags = running.registry.client.get_model_version(MODEL_NAME, "2").tags
        for key in [key for key in tags if key.startswith(RECORD_KEY)]:
            running.registry.client.delete_model_version_tag(MODEL_NAME, "2", key)
        eventually("it is refused", lambda: "aborted: refused by the" in command(running, "rollout", "status"))
        status = command(running, "rollout", "status")
        assert f"worker on {socket.gethostname()}: record " in status
        assert "set this worker's COPYDESK_TRUSTED_KEYS" in status


def test_a_shadow_compares_live_articles_and_shows_where_the_versions_differ(
    running: Service, model: ScriptedModel
) -> None:
    def found(question: Question) -> Scripted:
        word, number = question.text.split()
        return finds(number if NUMBERS in question.escaped else word)

    model.script = {"old": found}
    register(running.registry, AgentSpec(pack=pack(prompt_guideline("old", instruction=NUMBERS)), model=SPECS[0].model))
    with running.api() as client:
        running.start_worker()
        command(running, "shadow", "start", "3", "--share", "1", "--checks-a-day", "5")
        assert [checked(client, number) for number in range(3)] == ["1", "1", "1"]
        eventually("they are compared", lambda: "3 compared, 0 waiting" in command(running, "shadow", "report"))
        told = json.loads(command(running, "shadow", "report", "--json"))
        assert (told["today"]["articles"], told["today"]["calls"]) == (3, 3)
        differing = [(one["only"], one["words"], one["sentence"]) for one in told["disagreements"][:2]]
        assert differing == [("champion", "Story", "Story 2."), ("challenger", "2.", "Story 2.")]
        assert "Version 3 checks no more in the shadow" in command(running, "shadow", "stop")


def test_articles_whose_rules_the_challenger_does_not_have_are_left_out(running: Service, model: ScriptedModel) -> None:
    with running.api() as client:
        running.start_worker()
        command(running, "shadow", "start", "2", "--share", "1", "--checks-a-day", "5")
        assert checked(client, 1) == "1"
        eventually("it is left out", lambda: "1 the versions share none" in command(running, "shadow", "report"))
        assert model.asked_about("new") == 0


def test_commands_say_what_to_do_where_there_is_nothing(running: Service) -> None:
    assert "Nothing was rolled out yet" in command(running, "rollout", "status")
    assert json.loads(command(running, "promotions", "--json"))[0]["number"] == 1
