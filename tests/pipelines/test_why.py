"""`copydesk why` on a finding of a running service, and what it says once the deployment points elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agent.spec import AgentSpec, ModelSpec
from registry.aliases import promote
from registry.versions import register
from tests.agent.build import pack, prompt_guideline
from tests.pipelines.terminal import Run
from tests.registry.decided import decide
from tests.scripted_model import ScriptedModel, finds
from tests.serving.build import TEXT
from tests.serving.decided import Fares, decision_json, evaluated
from tests.serving.service import Service, ended, free_port, service, submit
from tests.waiting import eventually

SAID = {"challenger": {"run": "e" * 32, "answered_by": [{"model": "m-2026-01-01", "fingerprint": "fp_scripted"}]}}
RULES = pack(prompt_guideline())
RULED = json.loads(decision_json(evaluated("7", RULES, {}), evaluated("8", RULES, {"attribution": Fares(digest="2")})))
SAID |= {name: RULED[name] for name in ("champion", "grounds", "rulings", "statuses")}


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel({"attribution": lambda question: finds("experts say", paragraph=2)}) as model:
        yield model


@pytest.fixture
def running(tmp_path: Path, model: ScriptedModel) -> Iterator[Service]:
    """A service whose champion was evaluated with the model."""
    environment = {
        "COPYDESK_MODEL_URL": model.url,
        "COPYDESK_WORKER_METRICS_PORT": str(free_port()),
        "COPYDESK_MLFLOW_TRACE_RATE": "1",
    }
    with service(tmp_path, environment=environment) as running:
        registry = running.registry
        spec = AgentSpec(pack=RULES, model=ModelSpec(deployment="m"))
        number = register(registry, spec).version.number
        decide(registry, number, said=SAID)
        promote(registry, number, who="ada")
        yield running


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_finding_is_explained_and_another_model_ends_the_evidence(run: Run, running: Service, model: ScriptedModel):
    metrics = f"http://127.0.0.1:{running.environment['COPYDESK_WORKER_METRICS_PORT']}/metrics"
    with running.api() as client:
        running.start_worker()
        job = submit(client)
        assert ended(client, job)["status"] == "completed"
        (listed,) = json.loads(run("why", job, "--json").out)
        assert listed["quote"] == "experts say"
        path = f"/api/v1/jobs/{job}/findings/{listed['fingerprint']}/why"
        eventually("its run is logged", lambda: client.get(path).json()["run"])
        why = json.loads(run("why", f"{job}/{listed['fingerprint']}", "--json").out)
        assert why["rule"]["prompt"] == "prompts:/test.attribution/1"
        assert (why["decided"]["ruling"], len(why["decided"]["rulings"])) == ("no worse", 2)
        assert why["judged"]["answered_by"] == SAID["challenger"]["answered_by"]
        assert (why["measured"]["evaluation"], why["expired"]) == ("e" * 32, None)
        assert (why["mlflow"]["run"], why["mlflow"]["trace"][:3], why["other_jobs"]) == (why["run"], "tr-", [])
        assert "compliance_model_changed 0.0" in httpx.get(metrics).text

        model.release = "-2026-09-09"
        second = submit(client, f"{TEXT}\n\nIt rained.")
        ended(client, second)
        expired = eventually("it expires", lambda: client.get("/api/v1/versions").json()[0]["evidence"]["expired"])
        eventually("the metric says so", lambda: "compliance_model_changed 1.0" in httpx.get(metrics).text)
    assert expired["reason"] == ("m-2026-09-09 (fp_scripted) answered, evaluated was m-2026-01-01 (fp_scripted)")
    shown = run("why", listed["fingerprint"]).out
    assert f"in 1 other check, such as {job}/" in shown
    assert "EXPIRED since" in shown
    assert "EXPIRED since" in run("versions").out


def test_a_finding_that_no_check_has_is_named_with_the_way_out(run: Run):
    refused = run("why", "88bac7d840ec8e96")
    assert (refused.code, "no check has a finding '88bac7d840ec8e96'" in refused.err) == (2, True)
