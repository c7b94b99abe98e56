"""The API and workers as real processes, from submitting to the run in MLflow, through deaths and outages."""

import asyncio
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from agent.recording import Recording, without_seconds
from agent.replay import replay
from agent.report import ComplianceReport
from agent.spec import AgentSpec, ModelSpec
from registry.aliases import promote, rollback
from registry.decisions import RECORD_KEY
from registry.job_runs import LoggedRun, find_job_run
from registry.runs import read_recording
from registry.version import CHAMPION, CODE_TAG, MODEL_NAME
from registry.versions import register
from tests.agent.build import guideline, pack, prompt_guideline
from tests.mlflow_server import mlflow_server
from tests.scripted_model import FOREVER, Scripted, ScriptedModel
from tests.serving.build import TEXT
from tests.serving.service import Service, ended, free_port, service, status, submit
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

JUDGED = pack(*(prompt_guideline(f"rule-{number}", title=f"Rule {number}") for number in range(4)))


def logged(running: Service, id: str) -> LoggedRun:
    registry = running.registry
    run: LoggedRun = eventually(f"the run of {id} is logged", lambda: find_job_run(registry, id))
    return run


@contextmanager
def judged_by(folder: Path, seconds: float) -> Iterator[tuple[Service, ScriptedModel]]:
    """A service whose version asks a model that takes its time for each guideline, one after the other."""
    with ScriptedModel(default=Scripted(seconds=seconds)) as model:
        environment = {
            "COPYDESK_MODEL_URL": model.url,
            "COPYDESK_MODEL_MAX_IN_FLIGHT": "1",
            "COPYDESK_RECORD_RATE": "1",
        }
        with service(folder, environment=environment) as running:
            running.make_champion(JUDGED, ModelSpec(deployment="m"))
            yield running, model


def test_an_article_is_checked_and_its_run_is_in_mlflow(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        running.make_champion(pack())
        with running.api() as client:
            assert client.get("/readyz").json()["type"] == "no-champion"
            worker = running.start_worker()
            id = submit(client)
            assert ended(client, id)["status"] == "completed"
            report = ComplianceReport.model_validate(client.get(f"/jobs/{id}/result").json()["report"])
            assert [finding.quote for finding in report.findings] == ["utilise", "experts say"]
            run = logged(running, id)
            assert (run.params["version"], run.metrics["findings"], run.artifacts) == ("1", 2, ("report.json",))
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(20) == 0


def test_a_dismissal_is_in_mlflow_and_back_at_the_next_check(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        running.make_champion(pack())
        with running.api() as client:
            running.start_worker()
            body = {"article": {"text": TEXT}, "document_id": "d"}
            first = client.post("/api/v1/compliance/check", json=body).json()["job_id"]
            ended(client, first)
            found = client.get(f"/jobs/{first}/result").json()["report"]["findings"]
            said = {"finding": found[0]["fingerprint"], "action": "dismiss", "reason": "style-choice"}
            score = client.post(f"/api/v1/jobs/{first}/feedback", json=said).json()["score"]
            eventually("it is told", lambda: "feedback_dismissed" in logged(running, first).metrics)
            assert logged(running, first).metrics["feedback_dismissed/plain-words"] == 1
            again = client.post("/api/v1/compliance/check", json=body | {"language": "en-GB"}).json()["job_id"]
            ended(client, again)
            result = client.get(f"/jobs/{again}/result").json()
            assert (result["report"]["score"], result["feedback"][0]["job_id"]) == (score, first)


def test_a_new_champion_serves_within_seconds_and_jobs_keep_their_version(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        running.make_champion(pack(guideline(title="First")))
        with running.api() as client:
            running.start_worker()
            first = submit(client)
            running.make_champion(pack(guideline(title="Second")))
            eventually("version 2 is served", lambda: client.get("/readyz").json()["version"] == "2", 10)
            second = submit(client)
            assert [ended(client, id)["version"] for id in (first, second)] == ["1", "2"]
            named = [client.get(f"/jobs/{id}/result").json()["report"]["version"]["number"] for id in (first, second)]
            assert named == ["1", "2"]
            champions = [(v["version"]["number"], v["champion"]) for v in client.get("/api/v1/versions").json()]
            assert champions == [("2", True), ("1", False)]


def test_a_killed_workers_jobs_go_on_elsewhere_and_none_is_lost(tmp_path: Path) -> None:
    with judged_by(tmp_path, seconds=0.4) as (running, _), running.api() as client:
        doomed = running.start_worker()
        ids = [submit(client, f"Story {number}. Experts say so.") for number in range(6)]
        eventually("a job is half done", lambda: any((status(client, id)["done"] or 0) > 0 for id in ids))
        doomed.send_signal(signal.SIGKILL)
        doomed.wait(10)
        running.start("worker")
        jobs = [ended(client, id) for id in ids]
        assert [job["status"] for job in jobs] == ["completed"] * 6
        assert all(logged(running, id) for id in ids)
        registry = running.registry
        found = registry.client.search_runs([e.experiment_id for e in registry.client.search_experiments()])
        assert sorted(run.data.tags["job_id"] for run in found if "job_id" in run.data.tags) == sorted(ids)


def test_after_a_kill_in_mid_article_no_finished_check_is_paid_again(tmp_path: Path) -> None:
    with judged_by(tmp_path, seconds=2) as (running, model), running.api() as client:
        doomed = running.start_worker()
        id = submit(client, "Experts say so.")
        eventually("half of it is done", lambda: status(client, id)["done"] == 2)
        eventually("the third is asked", lambda: len(model.calls) == 3)
        doomed.send_signal(signal.SIGKILL)
        doomed.wait(10)
        running.start("worker")
        assert ended(client, id)["status"] == "completed"
        report = client.get(f"/jobs/{id}/result").json()["report"]
        recording = Recording.load(read_recording(running.registry, logged(running, id).run_id), id)
    asked = sorted(model.asked_about(rule.id) for rule in JUDGED.guidelines)
    assert asked == [1, 1, 1, 2]  # one was on its way when the worker died
    assert sorted(outcome["kept"] for outcome in report["outcomes"]) == [0, 0, 1, 1]
    assert without_seconds(asyncio.run(replay(recording))) == without_seconds(ComplianceReport.model_validate(report))


def test_a_worker_that_is_told_to_stop_finishes_its_job_first(tmp_path: Path) -> None:
    with judged_by(tmp_path, seconds=0.5) as (running, _), running.api() as client:
        worker = running.start_worker()
        first = submit(client)
        eventually("it runs", lambda: status(client, first)["status"] == "running")
        worker.send_signal(signal.SIGTERM)
        eventually("it is told", lambda: said(running, "told to stop"))
        second = submit(client, "Another story.")
        assert worker.wait(20) == 0
        assert (status(client, first)["status"], status(client, second)["status"]) == ("completed", "queued")


def test_a_running_job_that_is_cancelled_stops_asking_the_model(tmp_path: Path) -> None:
    with judged_by(tmp_path, seconds=0) as (running, model), running.api() as client:
        turns = iter([Scripted(seconds=FOREVER)])
        model.script = {rule.id: lambda _: next(turns, Scripted()) for rule in JUDGED.guidelines}
        running.start_worker()
        id = submit(client)
        eventually("the model is asked", lambda: model.calls)
        assert client.delete(f"/api/v1/jobs/{id}").json()["status"] == "cancelled"
        other = submit(client, "Another story.")  # is asked about when nobody asks about the first any more
        assert ended(client, other)["status"] == "completed"
        assert len(model.calls) == 1 + len(JUDGED.guidelines)
        assert status(client, id)["status"] == "cancelled"


def test_articles_are_checked_while_mlflow_is_down_and_their_runs_follow(tmp_path: Path) -> None:
    port = free_port()
    with service(tmp_path, mlflow=f"http://127.0.0.1:{port}") as running, running.api() as client:
        with mlflow_server(tmp_path, port):
            running.make_champion(pack())
            doomed = running.start_worker()
        doomed.kill()
        doomed.wait(10)
        running.start("worker")  # it has the champion from before
        ids = [submit(client, f"Story {number}. We utilise.") for number in range(3)]
        assert [ended(client, id)["status"] for id in ids] == ["completed"] * 3
        eventually(
            "the first attempt to log one fails",
            lambda: said(running, "is not logged to MLflow yet"),
        )
        assert client.get("/readyz").status_code == 200
        with mlflow_server(tmp_path, port):
            assert all(logged(running, id) for id in ids)


def test_a_champion_that_needs_other_code_leaves_the_last_one_serving(tmp_path: Path) -> None:
    with service(tmp_path) as running, running.api() as client:
        running.make_champion(pack())
        running.start_worker()
        registry = running.registry
        register(registry, AgentSpec(pack=pack(guideline(title="Second"))))
        registry.client.set_model_version_tag(MODEL_NAME, "2", CODE_TAG, "0" * 64)
        promote(registry, 2, force_reason="a rollout", who="ada")
        eventually(
            "it can't be loaded", lambda: "version 2 was made with agent code" in " ".join(running.logs().split())
        )
        before = served_at(client)
        eventually("version 1 is still heard of", lambda: served_at(client) > before, 10)
        assert ended(client, submit(client))["version"] == "1"


def served_at(client: httpx.Client) -> str:
    champion = next(version for version in client.get("/api/v1/versions").json() if version["champion"])
    return str(champion["served"])


def refused(port: int) -> str:
    """The worker's metric of a champion that was refused."""
    told = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text.splitlines()
    return next(line.split()[1] for line in told if line.startswith("compliance_champion_refused "))


def said(running: Service, text: str) -> bool:
    return text in " ".join(running.logs().split())


def test_an_alias_moved_by_hand_is_refused_and_the_last_verified_version_serves(tmp_path: Path) -> None:
    port = free_port()
    with (
        service(tmp_path, environment={"COPYDESK_WORKER_METRICS_PORT": str(port)}) as running,
        running.api() as client,
    ):
        running.make_champion(pack())
        running.start_worker()
        registry = running.registry
        register(registry, AgentSpec(pack=pack(guideline(title="Second"))))
        eventually("nothing is refused", lambda: refused(port) == "0.0")
        registry.client.set_registered_model_alias(MODEL_NAME, CHAMPION, "2")
        eventually("it is refused", lambda: said(running, "the alias names version 2, which no signed promotion"), 20)
        eventually("its metric says so", lambda: refused(port) == "1.0")
        before = served_at(client)
        eventually("version 1 is still served", lambda: served_at(client) > before, 10)
        assert ended(client, submit(client))["version"] == "1"
        rollback(registry, None, reason="moved by hand", who="ada")
        eventually("its metric says that it's over", lambda: refused(port) == "0.0")
        promotion = promote(registry, 2, force_reason="a trial", who="ada")
        eventually("version 2 is served", lambda: client.get("/readyz").json()["version"] == "2", 20)
        id = submit(client, "We utilise it again.")
        ended(client, id)
        stamp = client.get(f"/jobs/{id}/result").json()["report"]["version"]
        assert (stamp["number"], stamp["evidence"], stamp["record"]) == ("2", "forced: a trial", promotion.record[:16])
        told = {each["version"]["number"]: each["evidence"] for each in client.get("/api/v1/versions").json()}
        assert [(told[n]["kind"], told[n]["ungated"]) for n in ("1", "2")] == [("rollback", True), ("forced", True)]
        assert (told["2"]["reason"], told["2"]["previous"], told["2"]["promoted_by"]) == ("a trial", 1, "ada")


def test_a_worker_that_starts_beside_an_altered_record_serves_the_version_before(tmp_path: Path) -> None:
    with service(tmp_path) as running, running.api() as client:
        running.make_champion(pack())
        running.make_champion(pack(guideline(title="Second")))
        client_of = running.registry.client
        tags = client_of.get_model_version(MODEL_NAME, "2").tags
        (key,) = (tag for tag in tags if tag.startswith(RECORD_KEY))
        client_of.set_model_version_tag(MODEL_NAME, "2", key, tags[key].replace("a test", "a tast"))
        running.start_worker()
        assert client.get("/readyz").json()["version"] == "1"
        assert said(running, "is not what was written there: somebody changed it")


def test_without_anything_verified_a_worker_serves_nothing_and_says_so(tmp_path: Path) -> None:
    with service(tmp_path) as running, running.api() as client:
        registry = running.registry
        register(registry, AgentSpec(pack=pack()))
        registry.client.set_registered_model_alias(MODEL_NAME, CHAMPION, "1")
        running.start("worker")
        eventually("it is said", lambda: said(running, "by its alias alone, without a signed promotion"))
        assert client.get("/readyz").json()["type"] == "no-champion"


def test_jobs_of_an_earlier_version_are_stamped_with_what_it_was_champion_by(tmp_path: Path) -> None:
    with service(tmp_path) as running, running.api() as client:
        running.make_champion(pack())
        doomed = running.start_worker()
        doomed.kill()
        doomed.wait(10)
        id = submit(client)
        running.make_champion(pack(guideline(title="Second")))
        shutil.rmtree(running.home / "versions")
        running.start("worker")
        assert ended(client, id)["version"] == "1"
        stamp = client.get(f"/jobs/{id}/result").json()["report"]["version"]
        assert (stamp["number"], stamp["evidence"], len(stamp["record"])) == ("1", "forced: a test", 16)
