from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from registry.connection import Registry, connect
from registry.errors import NoRecording, RegistryUnreachable
from registry.job_runs import find_job_run
from registry.runs import read_recording
from registry.settings import RegistrySettings
from registry.traces import find_trace
from serving.adapters.mlflow_run_log import MlflowRunLog
from serving.adapters.sql_backlog import SqlBacklog
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.stores import Stores
from serving.adapters.tables import recordings
from serving.job import JobStatus
from serving.ports.clocks import Clock
from serving.ports.log import LogEntry
from serving.telling import PutOff, Telling
from serving.usecases.log_runs import HOLD, LONGEST_DELAY, delay, log_next
from tests.embedded import with_mlflow
from tests.serving.build import NOW, claim, report, submission, unlogged

FAILURES = [
    (RegistryUnreachable("MLflow is down"), ("WARNING", "MLflow is down", False)),
    (TypeError("not JSON"), ("ERROR", "an unexpected TypeError", True)),
]  # and what is told of each: how grave, why, and whether with a trace


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return connect(RegistrySettings(home=with_mlflow(tmp_path / "mlflow"), mlflow_tracking_uri=""))


class Away:
    """An MLflow that doesn't answer, or that can't take a report."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    async def begin(self, entry: LogEntry) -> str:
        raise self.failure

    async def complete(self, entry: LogEntry, run_id: str) -> None:
        raise self.failure


async def finished(stores: Stores, recording: bytes | None = None) -> None:
    await stores.jobs.add(submission("a"))
    running = await claim(stores)
    await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, NOW), await report(), recording)


def told_by(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str, bool]]:
    """What, how grave, why, and whether with a trace."""
    return [
        (what, record.levelname, why, bool(record.exc_info))
        for record in caplog.records
        for what, _, why in [record.getMessage().rpartition(": ")]
    ]


def put_off_for(failure: Exception, told: tuple[str, str, bool]) -> PutOff:
    return PutOff(told[1], blocked=isinstance(failure, RegistryUnreachable))


def at(moment: datetime) -> Clock:
    return lambda: moment


@pytest.mark.parametrize(("failure", "told"), FAILURES)
async def test_a_failure_delays_a_run_loses_none_and_is_logged_once(
    stores: Stores,
    registry: Registry,
    failure: Exception,
    told: tuple[str, str, bool],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await finished(stores)
    outbox = SqlOutbox(stores.database)
    assert await log_next(outbox, Away(failure), clock=at(NOW)) == Telling("a", put_off_for(failure, told))
    assert told_by(caplog) == [("job a is not logged to MLflow yet, next try in 2 s", *told)]
    assert not await log_next(outbox, Away(failure), clock=at(NOW + timedelta(seconds=1)))
    assert await unlogged(stores.database) == 1
    assert await log_next(outbox, MlflowRunLog(registry), clock=at(NOW + timedelta(seconds=2))) == Telling("a")
    assert await unlogged(stores.database) == 0
    run = find_job_run(registry, "a")
    assert run
    assert (run.params["version"], run.artifacts) == ("1", ("report.json",))


async def test_a_recording_goes_with_its_run_and_is_kept_nowhere_else(stores: Stores, registry: Registry) -> None:
    await finished(stores, b"recorded")
    assert await log_next(SqlOutbox(stores.database), MlflowRunLog(registry), clock=at(NOW))
    run = find_job_run(registry, "a")
    assert run
    assert run.artifacts == ("recording.json.gz", "report.json")
    assert read_recording(registry, run.run_id) == b"recorded"
    async with stores.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(recordings)) == 0


async def test_a_run_without_a_recording_says_how_to_get_one(stores: Stores, registry: Registry) -> None:
    await finished(stores)
    await log_next(SqlOutbox(stores.database), MlflowRunLog(registry), clock=at(NOW))
    run = find_job_run(registry, "a")
    assert run
    with pytest.raises(NoRecording, match="set COPYDESK_RECORD_RATE"):
        read_recording(registry, run.run_id)
    for unknown in ("0" * 32, "post.md"):
        with pytest.raises(NoRecording, match=f"no run '{unknown}'"):
            read_recording(registry, unknown)


async def test_there_may_be_nothing_to_log(stores: Stores) -> None:
    assert not await log_next(SqlOutbox(stores.database), Away(ValueError()), clock=at(NOW))


HOUR = timedelta(hours=1)


@dataclass
class Scripted:
    """The time, and an MLflow that answers from a moment on; each of its requests takes ten seconds until then."""

    back: datetime
    now: datetime = NOW
    runs: dict[str, str] = field(default_factory=dict)  # by job
    completed: list[str] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    async def begin(self, entry: LogEntry) -> str:
        if self.now < self.back:
            self.now += timedelta(seconds=10)
            raise RegistryUnreachable("MLflow is down")
        assert entry.job.id not in self.runs
        return self.runs.setdefault(entry.job.id, f"run-{entry.job.id}")

    async def complete(self, entry: LogEntry, run_id: str) -> None:
        assert self.runs[entry.job.id] == run_id
        self.completed.append(entry.job.id)


async def test_mlflow_down_for_an_hour_loses_nothing(stores: Stores) -> None:
    jobs = [f"job{number:02}" for number in range(40)]
    for id in jobs:
        await stores.jobs.add(submission(id))
        await stores.jobs.cancel(id, NOW)
    outbox, backlog = SqlOutbox(stores.database), SqlBacklog(stores.database)
    mlflow, ages = Scripted(back=NOW + HOUR), [1.0]
    while ages[-1]:
        if await log_next(outbox, mlflow, clock=mlflow) is None:
            mlflow.now += timedelta(seconds=10)
        ages.append((await backlog.read(mlflow.now)).oldest_unlogged_seconds)
        assert mlflow.now < NOW + 2 * HOUR
    assert sorted(mlflow.completed) == sorted(mlflow.runs) == jobs
    assert await unlogged(stores.database) == 0
    assert ages[:-1] == sorted(ages[:-1])  # it rises until the last is told
    assert HOUR <= timedelta(seconds=max(ages)) <= HOUR + LONGEST_DELAY + timedelta(seconds=30)


def test_delays_double_up_to_a_limit() -> None:
    assert [delay(attempt).total_seconds() for attempt in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert delay(9) == delay(999) == LONGEST_DELAY


async def test_a_worker_that_died_after_it_made_a_run_leaves_one_run(stores: Stores, registry: Registry) -> None:
    """Killed between creating the run and noting it: the next attempt finds the run by its job."""
    await finished(stores)
    outbox = SqlOutbox(stores.database)
    runs = MlflowRunLog(registry)
    doomed = await outbox.claim(NOW, HOLD)
    assert doomed
    made = await runs.begin(doomed)
    assert await log_next(outbox, runs, clock=at(NOW + HOLD + timedelta(seconds=1)))
    run = find_job_run(registry, "a")
    assert run
    assert run.run_id == made
    found = registry.client.search_runs([run.experiment_id], "tags.job_id = 'a'")
    assert len(found) == 1


async def test_a_job_without_a_report_is_logged(stores: Stores, registry: Registry) -> None:
    await stores.jobs.add(submission("a"))
    await stores.jobs.cancel("a", NOW)
    assert await log_next(SqlOutbox(stores.database), MlflowRunLog(registry), clock=at(NOW))
    run = find_job_run(registry, "a")
    assert run
    assert (run.tags["status"], run.artifacts) == ("cancelled", ())


async def test_a_sampled_job_gets_one_trace_however_often_it_is_logged(stores: Stores, registry: Registry) -> None:
    """Killed after all was written and before it was noted: the next attempt writes nothing twice."""
    await finished(stores)
    outbox = SqlOutbox(stores.database)
    runs = MlflowRunLog(registry, trace_rate=1)
    doomed = await outbox.claim(NOW, HOLD)
    assert doomed
    run_id = await runs.begin(doomed)
    await runs.complete(doomed, run_id)
    made = find_trace(registry, "a")
    assert await log_next(outbox, runs, clock=at(NOW + HOLD + timedelta(seconds=1)))
    traces = registry.client.search_traces(locations=[registry.client.get_run(run_id).info.experiment_id])
    assert [trace.info.trace_id for trace in traces] == [made]


async def test_other_jobs_get_none(stores: Stores, registry: Registry) -> None:
    await finished(stores)
    assert await log_next(SqlOutbox(stores.database), MlflowRunLog(registry, trace_rate=0), clock=at(NOW))
    assert find_trace(registry, "a") is None
