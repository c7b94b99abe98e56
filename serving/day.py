"""The last day of the service, for those who use it. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from serving.job import REPORTED, JobStatus
from serving.runs import quantile

HOURS = 24
DAY = timedelta(hours=HOURS)


class Ending(NamedTuple):
    status: JobStatus
    submitted: datetime
    started: datetime | None
    finished: datetime | None


class Hour(NamedTuple):
    """Jobs submitted in the hour that begins then."""

    begins: datetime
    jobs: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Of the jobs that were submitted in 24 hours and have ended; times in seconds, None where there is no report."""

    ended: dict[JobStatus, int]
    wait: float | None  # median, from submitted to started
    turnaround: float | None  # median, from submitted to finished
    turnaround_p95: float | None
    hours: tuple[Hour, ...]

    @property
    def jobs(self) -> int:
        return sum(self.ended.values())


def day_figures(found: Sequence[Ending], now: datetime) -> DayFigures:
    since = now - DAY
    reported = [job for job in found if job.status in REPORTED and job.started and job.finished]
    turnaround = [(job.finished - job.submitted).total_seconds() for job in reported if job.finished]
    counts = Counter(job.status for job in found)
    of_hour = Counter(min(HOURS - 1, max(0, int((job.submitted - since) / timedelta(hours=1)))) for job in found)
    return DayFigures(
        ended={status: counts[status] for status in ENDINGS},
        wait=quantile([(job.started - job.submitted).total_seconds() for job in reported if job.started], 0.5),
        turnaround=quantile(turnaround, 0.5),
        turnaround_p95=quantile(turnaround, 0.95),
        hours=tuple(Hour(since + timedelta(hours=i), of_hour[i]) for i in range(HOURS)),
    )


ENDINGS = (JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED)
