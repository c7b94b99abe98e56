"""What is counted of what passes."""

import re
from datetime import timedelta

import pytest

from agent.check_cache import MemoryKeyValues
from serving.adapters.measured import MeasuredKeyValues, MeasuredLeases
from serving.adapters.stores import Stores
from serving.job import Job, JobStatus
from serving.metrics import WorkerMetrics
from tests.serving.build import LEASE, NOW, report, submission


@pytest.fixture
def metrics() -> WorkerMetrics:
    return WorkerMetrics()


@pytest.fixture
def leases(stores: Stores, metrics: WorkerMetrics) -> MeasuredLeases:
    return MeasuredLeases(stores.leases, metrics)


async def claimed(stores: Stores, leases: MeasuredLeases) -> Job:
    await stores.jobs.add(submission("a"))
    job = await leases.claim("a", 1, NOW + timedelta(seconds=4), LEASE)
    assert job
    return job


def told(metrics: WorkerMetrics, *names: str) -> list[tuple[str, float]]:
    lines = re.findall(r"^compliance_(\S+) (\S+)$", metrics.text().decode(), re.MULTILINE)
    return [(name, float(value)) for name, value in lines if name.startswith(names)]


async def test_a_job_is_counted_where_it_is_stored_and_not_again(
    stores: Stores, leases: MeasuredLeases, metrics: WorkerMetrics
) -> None:
    running = await claimed(stores, leases)
    ended = running.ended_as(JobStatus.COMPLETED, NOW + timedelta(seconds=10))
    assert await leases.finish(ended, await report())
    assert await leases.finish(ended, await report()) is None
    assert told(metrics, "jobs_total") == [('jobs_total{outcome="completed"}', 1)]
    sums = told(metrics, "job_wait_seconds_sum", "job_duration_seconds_sum", "job_duration_seconds_count")
    assert sorted(sums) == [
        ("job_duration_seconds_count", 1),
        ("job_duration_seconds_sum", 6),
        ("job_wait_seconds_sum", 4),
    ]


@pytest.mark.parametrize("reason", ["failure", "outage", "shutdown", "silence"])
async def test_each_way_back_into_the_queue_is_told_apart(
    stores: Stores, leases: MeasuredLeases, metrics: WorkerMetrics, reason: str
) -> None:
    running = await claimed(stores, leases)
    if reason == "failure":
        await leases.retry(running, NOW, "MLflow is down", pause=LEASE, max_attempts=3)
    elif reason == "shutdown":
        await leases.hand_back(running, "stopped")
    elif reason == "outage":
        await leases.hand_back(running, "MLflow is down", due=NOW + LEASE)
    else:
        await leases.give_back(NOW + 9 * LEASE, max_attempts=3)
    assert told(metrics, "job_retries_total", "jobs_total") == [(f'job_retries_total{{reason="{reason}"}}', 1)]


async def test_a_job_that_is_given_up_has_failed(
    stores: Stores, leases: MeasuredLeases, metrics: WorkerMetrics
) -> None:
    running = await claimed(stores, leases)
    await leases.retry(running, NOW, "again", pause=LEASE, max_attempts=1)
    assert told(metrics, "job_retries_total", "jobs_total") == [('jobs_total{outcome="failed"}', 1)]


async def test_finished_checks_are_hits_and_misses_by_the_paragraph(metrics: WorkerMetrics) -> None:
    kept = MeasuredKeyValues(MemoryKeyValues(), metrics)
    await kept.put({"a": b"1", "b": b"2"})
    await kept.get(["a", "b", "c"])
    assert told(metrics, "cache_requests_total") == [
        ('cache_requests_total{cache="checks",result="hit"}', 2),
        ('cache_requests_total{cache="checks",result="miss"}', 1),
    ]
