from datetime import UTC, datetime, timedelta

from serving.day import Ending, day_figures
from serving.job import JobStatus

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def ending(status: JobStatus, hours: float, wait: float, took: float) -> Ending:
    at = NOW - timedelta(hours=hours)
    return Ending(status, at, at + timedelta(seconds=wait), at + timedelta(seconds=took))


def test_the_day_is_counted_by_how_jobs_ended_and_when_they_came() -> None:
    found = day_figures(
        [
            ending(JobStatus.COMPLETED, 0.5, 1, 10),
            ending(JobStatus.COMPLETED, 0.9, 2, 20),
            ending(JobStatus.PARTIAL, 23.5, 3, 30),
            ending(JobStatus.FAILED, 5.5, 100, 900),
        ],
        NOW,
    )
    assert found.jobs == 4
    assert found.ended == {
        JobStatus.COMPLETED: 2,
        JobStatus.PARTIAL: 1,
        JobStatus.FAILED: 1,
        JobStatus.CANCELLED: 0,
    }
    assert (found.wait, found.turnaround, found.turnaround_p95) == (2, 20, 30)
    assert [hour.jobs for hour in found.hours] == [1, *[0] * 17, 1, *[0] * 4, 2]
    assert found.hours[0].begins == NOW - timedelta(hours=24)


def test_a_day_without_jobs_has_no_times() -> None:
    found = day_figures([], NOW)
    assert (found.jobs, found.wait, found.turnaround, len(found.hours)) == (0, None, None, 24)
