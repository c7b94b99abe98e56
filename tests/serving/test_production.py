"""The API and workers as processes on PostgreSQL and Redis."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.spec import ModelSpec
from tests.agent.build import pack, prompt_guideline
from tests.postgres_server import new_database
from tests.scripted_model import Scripted, ScriptedModel
from tests.serving.service import Service, ended, service, status, submit
from tests.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

JUDGED = pack(*(prompt_guideline(f"rule-{number}", title=f"Rule {number}") for number in range(4)))
JOBS = 12
HOLD_SECONDS = 20.0


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(default=Scripted(seconds=0.3)) as model:
        yield model


@pytest.fixture
def running(tmp_path: Path, postgres: str, migrated: str, redis_url: str, model: ScriptedModel) -> Iterator[Service]:
    environment = {
        "DB_CONNECTION_STRING": new_database(postgres, like=migrated),
        "REDIS_CONNECTION_STRING": redis_url,
        "COPYDESK_MODEL_URL": model.url,
        "COPYDESK_USER_REQUESTS_PER_MINUTE": "100000",
        "COPYDESK_LOG_HOLD_SECONDS": f"{HOLD_SECONDS}",
    }
    with service(tmp_path, environment=environment) as running:
        running.make_champion(JUDGED, ModelSpec(deployment="m"))
        yield running


def test_workers_that_are_killed_lose_no_job_and_no_run_is_written_twice(running: Service) -> None:
    with running.api() as client:
        workers = [running.start_worker(), running.start("worker")]
        ids = [submit(client, f"Story {number}. Experts say so.") for number in range(JOBS)]
        eventually("some are done", lambda: sum(status(client, id)["status"] == "completed" for id in ids) > 1)
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
        unfinished = [id for id in ids if status(client, id)["status"] != "completed"]
        assert unfinished
        running.start("worker")
        assert [job for job in (ended(client, id) for id in ids) if job["status"] != "completed"] == []
        # What a killed worker was about to log stays its own for as long as it could be at it.
        patience = HOLD_SECONDS + PATIENCE
        logged = eventually("all are logged", lambda: _logged(running, ids), patience)
    assert sorted(logged) == sorted(ids)


def test_a_job_starts_elsewhere_when_its_worker_died(running: Service, model: ScriptedModel) -> None:
    with running.api() as client:
        doomed = running.start_worker()
        second = running.start("worker")
        id = submit(client)
        eventually("it runs", lambda: status(client, id)["status"] == "running")
        for worker in (doomed, second):
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
        running.start("worker")
        assert ended(client, id)["status"] == "completed"
    assert all(model.asked_about(rule.id) <= 2 for rule in JUDGED.guidelines)


def _logged(running: Service, ids: list[str]) -> list[str] | None:
    """The jobs of all runs, once there are enough."""
    client = running.registry.client
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = [run.data.tags.get("job_id", "") for run in client.search_runs(experiments, max_results=1000)]
    own = [id for id in found if id in ids]
    return own if len(own) >= len(ids) else None
