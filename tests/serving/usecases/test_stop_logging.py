"""Stopping is refused where nothing is to be stopped, with why and what to do instead."""

import pytest
from sqlalchemy import update

from agent.errors import CopydeskError
from serving.adapters.sql_unlogged import SqlUnlogged
from serving.adapters.stores import Stores
from serving.adapters.tables import outbox
from serving.errors import JobNotFound
from serving.usecases.stop_logging import NothingToStop, NotStopped, log_again, stop_logging
from tests.serving.build import NOW, ROOT, submission


async def stopped(stores: Stores, job_id: str) -> None:
    unlogged = SqlUnlogged(stores.database)
    await stop_logging(unlogged, stores.jobs, job_id=job_id, reason="never", by=ROOT, now=NOW)


async def taken_back(stores: Stores, job_id: str) -> None:
    await log_again(SqlUnlogged(stores.database), stores.jobs, job_id=job_id, by=ROOT, now=NOW)


@pytest.fixture
async def some(stores: Stores) -> Stores:
    """A job that waits, one that is to be logged, one that is logged, and one whose logging was stopped."""
    for id in ("waits", "ended", "logged", "never"):
        await stores.jobs.add(submission(id))
        if id != "waits":
            await stores.jobs.cancel(id, NOW)
    async with stores.database.write() as connection:
        done = update(outbox).where(outbox.c.job_id == "logged")
        await connection.execute(done.values(due_at=None, run_id="run"))
    await stopped(stores, "never")
    return stores


@pytest.mark.parametrize(
    ("job", "error", "told"),
    [
        ("nope", JobNotFound, "there is no job 'nope': `copydesk jobs unlogged` lists"),
        ("waits", NothingToStop, "job 'waits' is queued, and is logged when it has ended: wait for that, or cancel"),
        ("logged", NothingToStop, "job 'logged' is logged to MLflow with all that was decided"),
        ("never", NothingToStop, "logging job 'never' was stopped before: `copydesk jobs log-again never` resumes it"),
    ],
)
async def test_what_can_not_be_stopped_says_why(some: Stores, job: str, error: type[CopydeskError], told: str) -> None:
    with pytest.raises(error, match=told):
        await stopped(some, job)


@pytest.mark.parametrize(
    ("job", "error", "told"),
    [
        ("nope", JobNotFound, "there is no job 'nope'"),
        ("waits", NotStopped, "logging job 'waits' was not stopped: `copydesk jobs unlogged` lists"),
        ("ended", NotStopped, "logging job 'ended' was not stopped"),
        ("logged", NotStopped, "logging job 'logged' was not stopped"),
    ],
)
async def test_what_was_not_stopped_can_not_be_taken_back(
    some: Stores, job: str, error: type[CopydeskError], told: str
) -> None:
    with pytest.raises(error, match=told):
        await taken_back(some, job)


async def test_what_was_stopped_may_be_taken_back_and_stopped_anew(some: Stores) -> None:
    await taken_back(some, "never")
    await stopped(some, "never")
    assert await SqlUnlogged(some.database).is_given_up("never")
