import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import jobs as command
from pipelines.person import user_name
from registry.connection import connect
from registry.settings import RegistrySettings
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.stores import open_worker_stores
from serving.app import utc_now
from serving.job import JobStatus
from serving.settings import ServingSettings
from serving.usecases import requeue
from tests.embedded import with_mlflow
from tests.pipelines.terminal import Run
from tests.serving.build import claim, submission


async def give_up(settings: ServingSettings, *ids: str) -> None:
    async with open_worker_stores(settings, utc_now) as stores:
        for id in ids:
            await stores.jobs.add(submission(id, callback_url="https://hooks.example.com/"))
            await claim(stores, utc_now() - timedelta(hours=1))
        await stores.leases.give_back(utc_now(), max_attempts=1)


def test_all_jobs_that_were_given_up_are_queued_again_and_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_HOME", str(tmp_path))
    monkeypatch.setattr(requeue, "AT_ONCE", 2)
    asyncio.run(give_up(ServingSettings(), "a", "b", "c"))
    command.requeue(job_ids=None, every=True)

    async def left() -> tuple[list[JobStatus], list[tuple[str, str, str]]]:
        async with open_worker_stores(ServingSettings(), utc_now) as stores:
            found = [await stores.jobs.get(id) for id in "abc"]
            noted = await SqlAudit(stores.database).page(None, 10)
            return [job.status for job in found if job], [(e.via, e.action, e.subject) for e in noted]

    statuses, noted = asyncio.run(left())
    assert statuses == [JobStatus.QUEUED] * 3
    assert sorted(noted) == [("command", "job.requeue", id) for id in "abc"]


def test_one_that_was_not_given_up_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_HOME", str(tmp_path))
    with pytest.raises(requeue.NotDead, match="job 'nope' was not given up"):
        command.requeue(job_ids=["nope"], every=False)


def listed(run: Run, *arguments: str) -> tuple[list[str], str]:
    """The jobs, by their one letter, and what is said below."""
    lines = run("jobs", *arguments).out.splitlines()
    return [line[0] for line in lines if line[:2] in ("a ", "b ", "c ")], " ".join(lines)


@pytest.mark.parametrize("command", ["dead", "callbacks", "unlogged"])
def test_what_is_not_listed_is_counted(run: Run, command: str) -> None:
    asyncio.run(give_up(ServingSettings(), "a", "b", "c"))
    some, said = listed(run, command, "--limit", "2")
    assert (len(some), "1 more is not listed: give --limit 3 for all." in said) == (2, True)
    whole, said = listed(run, command, "--limit", "3")
    assert (sorted(whole), "not listed" in said) == (["a", "b", "c"], False)
    assert run("jobs", command, "--limit", str(10**20)).code == 2


async def end(*ids: str) -> None:
    async with open_worker_stores(ServingSettings(), utc_now) as stores:
        for id in ids:
            await stores.jobs.add(submission(id, submitted=utc_now()))
            await stores.jobs.cancel(id, utc_now())


async def audited() -> list[tuple[str, str, str, str]]:
    async with open_worker_stores(ServingSettings(), utc_now) as stores:
        return [(e.user, e.action, e.subject, e.detail) for e in await SqlAudit(stores.database).page(None, 10)]


def test_what_mlflow_refuses_is_seen_stopped_and_logged_once_after_all(run: Run, tmp_path: Path) -> None:
    mlflow = connect(RegistrySettings(home=with_mlflow(tmp_path / "home"), mlflow_tracking_uri=""))
    month = mlflow.experiment_id(f"copydesk/production-{utc_now():%Y-%m}")
    mlflow.client.delete_experiment(month)
    asyncio.run(end("a"))
    assert run("tick").code == 0
    said = " ".join(run("jobs", "unlogged").out.split())
    assert ("mlflow experiments restore" in said, "1 to be tried, 0 stopped" in said) == (True, True)
    assert run("jobs", "stop-logging", "a", "--reason", "the month is gone").code == 0
    said = " ".join(run("jobs", "unlogged").out.split())
    assert ("never stopped by" in said, "the month is gone (before: experiment" in said) == (True, True)
    assert "0 to be tried, 1 stopped" in said
    assert "Put off" not in run("tick").out
    mlflow.client.restore_experiment(month)
    assert run("jobs", "log-again", "a").code == 0
    assert "1 runs logged to MLflow" in run("tick").out
    assert run("jobs", "unlogged").out == "Every ended job is logged to MLflow, with all that was decided.\n"
    assert len(mlflow.client.search_runs([month], "tags.job_id = 'a'")) == 1
    assert asyncio.run(audited()) == [
        (user_name(), "job.log-again", "a", ""),
        (user_name(), "job.stop-logging", "a", "the month is gone"),
    ]


def test_nothing_is_stopped_without_a_reason(run: Run) -> None:
    asyncio.run(end("a"))
    assert run("jobs", "stop-logging", "a").code == 2
    refused = run("jobs", "stop-logging", "a", "--reason", " ")
    assert (refused.code, "say why" in refused.err) == (2, True)
    assert asyncio.run(audited()) == []


def test_a_job_that_is_not_there_is_named(run: Run) -> None:
    asyncio.run(end("a"))
    refused = run("jobs", "stop-logging", "a", "nope", "--reason", "never")
    assert (refused.code, "there is no job 'nope'" in " ".join(refused.err.split())) == (2, True)
    assert refused.out == "a is tried no more\n"
    assert [subject for _, _, subject, _ in asyncio.run(audited())] == ["a"]


def test_a_job_that_is_named_twice_counts_once(run: Run) -> None:
    asyncio.run(end("a", "b"))
    stopped = run("jobs", "stop-logging", "a", "b", "a", "--reason", "never").out
    assert stopped.splitlines()[:-1] == ["a is tried no more", "b is tried no more"]
    assert stopped.splitlines()[-1].startswith("2 stopped")
    assert run("jobs", "log-again", "b", "b").out == "b is due at once\n1 to be logged at once.\n"
