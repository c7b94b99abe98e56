"""Giving up is refused where nothing is to be given up, with why and what to do instead."""

import pytest
from sqlalchemy import update

from agent.errors import CopydeskError
from serving.adapters.sql_unlogged import SqlUnlogged
from serving.adapters.stores import Stores
from serving.adapters.tables import outbox
from serving.errors import JobNotFound
from serving.usecases.give_up import NotGivenUp, NothingToGiveUp, give_up, log_again
from tests.serving.build import NOW, ROOT, submission


async def given_up(stores: Stores, job_id: str) -> None:
    unlogged = SqlUnlogged(stores.database)
    await give_up(unlogged, stores.jobs, job_id=job_id, reason="never", by=ROOT, now=NOW)


async def taken_back(stores: Stores, job_id: str) -> None:
    await log_again(SqlUnlogged(stores.database), stores.jobs, job_id=job_id, by=ROOT, now=NOW)


@pytest.fixture
async def some(stores: Stores) -> Stores:
    """A job that waits, one that is to be logged, one that is logged, and one that was given up."""
    for id in ("waits", "ended", "logged", "never"):
        await stores.jobs.add(submission(id))
        if id != "waits":
            await stores.jobs.cancel(id, NOW)
    async with stores.database.write() as connection:
        done = update(outbox).where(outbox.c.job_id == "logged")
        await connection.execute(done.values(due_at=None, run_id="run"))
    await given_up(stores, "never")
    return stores


@pytest.mark.parametrize(
    ("job", "error", "told"),
    [
        ("nope", JobNotFound, "there is no job 'nope': `copydesk jobs unlogged` lists"),
        ("waits", NothingToGiveUp, "job 'waits' is queued, and is logged when it has ended: wait for that, or cancel"),
        ("logged", NothingToGiveUp, "job 'logged' is logged to MLflow with all that was decided"),
        ("never", NothingToGiveUp, "job 'never' was given up before: `copydesk jobs log-again never` takes that back"),
    ],
)
async def test_what_can_not_be_given_up_says_why(some: Stores, job: str, error: type[CopydeskError], told: str) -> None:
    with pytest.raises(error, match=told):
        await given_up(some, job)


@pytest.mark.parametrize(
    ("job", "error", "told"),
    [
        ("nope", JobNotFound, "there is no job 'nope'"),
        ("waits", NotGivenUp, "logging job 'waits' was not given up: `copydesk jobs unlogged` lists"),
        ("ended", NotGivenUp, "logging job 'ended' was not given up"),
        ("logged", NotGivenUp, "logging job 'logged' was not given up"),
    ],
)
async def test_what_was_not_given_up_can_not_be_taken_back(
    some: Stores, job: str, error: type[CopydeskError], told: str
) -> None:
    with pytest.raises(error, match=told):
        await taken_back(some, job)


async def test_what_was_given_up_may_be_taken_back_and_given_up_anew(some: Stores) -> None:
    await taken_back(some, "never")
    await given_up(some, "never")
    assert await SqlUnlogged(some.database).is_given_up("never")
