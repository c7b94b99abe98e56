import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import jobs as command
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.stores import open_worker_stores
from serving.app import utc_now
from serving.job import JobStatus
from serving.settings import ServingSettings
from serving.usecases import requeue
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


@pytest.mark.parametrize("command", ["dead", "callbacks"])
def test_what_is_not_listed_is_counted(run: Run, command: str) -> None:
    asyncio.run(give_up(ServingSettings(), "a", "b", "c"))
    some, said = listed(run, command, "--limit", "2")
    assert (len(some), "1 more is not listed: give --limit 3 for all." in said) == (2, True)
    whole, said = listed(run, command, "--limit", "3")
    assert (sorted(whole), "not listed" in said) == (["a", "b", "c"], False)
    assert run("jobs", command, "--limit", str(10**20)).code == 2
