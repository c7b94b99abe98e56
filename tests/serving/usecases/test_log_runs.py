from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from registry.connection import connect
from registry.errors import NoRecording, RegistryUnreachable
from registry.job_runs import find_job_run
from registry.runs import read_recording
from registry.settings import RegistrySettings
from serving.adapters.database import Database
from serving.adapters.mlflow_run_log import MlflowRunLog
from serving.adapters.sql_jobs import SqlJobQueue, SqlJobStore
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.tables import recordings
from serving.job import JobStatus
from serving.ports import Clock, LogEntry
from serving.settings import ServingSettings
from serving.usecases.log_runs import LONGEST_DELAY, delay, log_next
from tests.serving.build import LEASE, NOW, SPEC, report, submission


class Away:
    """An MLflow that doesn't answer, or that can't take a report."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    async def log(self, entry: LogEntry) -> str:
        raise self.failure


async def finished(database: Database, recording: bytes | None = None) -> None:
    store, queue = SqlJobStore(database), SqlJobQueue(database)
    await store.add(submission("a"))
    running = await queue.claim(SPEC.code, NOW, LEASE)
    assert running
    await queue.finish(running.ended_as(JobStatus.COMPLETED, NOW), await report(), recording)


def at(moment: datetime) -> Clock:
    return lambda: moment


@pytest.mark.parametrize("failure", [RegistryUnreachable("MLflow is down"), TypeError("not JSON")])
async def test_a_failure_delays_a_run_and_loses_none(
    database: Database, settings: ServingSettings, failure: Exception
) -> None:
    await finished(database)
    outbox = SqlOutbox(database)
    assert await log_next(outbox, Away(failure), clock=at(NOW))
    assert not await log_next(outbox, Away(failure), clock=at(NOW + timedelta(seconds=1)))
    assert await outbox.waiting() == 1
    registry = connect(RegistrySettings(home=settings.home, mlflow_tracking_uri=""))
    assert await log_next(outbox, MlflowRunLog(registry), clock=at(NOW + timedelta(seconds=2)))
    assert await outbox.waiting() == 0
    run = find_job_run(registry, "a")
    assert run
    assert (run.params["version"], run.artifacts) == ("1", ("report.json",))


async def test_a_recording_goes_with_its_run_and_is_kept_nowhere_else(
    database: Database, settings: ServingSettings
) -> None:
    await finished(database, b"recorded")
    registry = connect(RegistrySettings(home=settings.home, mlflow_tracking_uri=""))
    assert await log_next(SqlOutbox(database), MlflowRunLog(registry), clock=at(NOW))
    run = find_job_run(registry, "a")
    assert run
    assert run.artifacts == ("recording.json.gz", "report.json")
    assert read_recording(registry, run.run_id) == b"recorded"
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(recordings)) == 0


async def test_a_run_without_a_recording_says_how_to_get_one(database: Database, settings: ServingSettings) -> None:
    await finished(database)
    registry = connect(RegistrySettings(home=settings.home, mlflow_tracking_uri=""))
    await log_next(SqlOutbox(database), MlflowRunLog(registry), clock=at(NOW))
    run = find_job_run(registry, "a")
    assert run
    with pytest.raises(NoRecording, match="set COPYDESK_RECORD_RATE"):
        read_recording(registry, run.run_id)
    for unknown in ("0" * 32, "post.md"):
        with pytest.raises(NoRecording, match=f"no run '{unknown}'"):
            read_recording(registry, unknown)


async def test_there_may_be_nothing_to_log(database: Database) -> None:
    assert not await log_next(SqlOutbox(database), Away(ValueError()), clock=at(NOW))


def test_delays_double_up_to_a_limit() -> None:
    assert [delay(attempt).total_seconds() for attempt in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert delay(9) == delay(999) == LONGEST_DELAY
