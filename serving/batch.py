"""A batch: articles that were sent together, and how far they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median

from agent.finding import Severity
from serving.job import ENDED, Job, JobStatus


@dataclass(frozen=True, slots=True)
class Batch:
    """Articles of one request. Its jobs are numbered from 1, in the order of the manifest."""

    id: str
    user: str
    name: str
    total: int
    submitted: datetime
    callback_url: str = ""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """An article of a batch; `score` where it was checked, before anybody dismissed a finding."""

    number: int
    job: Job
    score: float | None


@dataclass(frozen=True, slots=True)
class GuidelineCount:
    """What one guideline came to over a batch."""

    guideline: str
    severity: Severity
    articles: int  # with findings
    findings: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How a batch stands."""

    jobs: Mapping[JobStatus, int]
    scores: tuple[float, ...]  # of what was checked, the lowest first
    guidelines: tuple[GuidelineCount, ...]  # with findings, the most first
    last_finished: datetime | None

    @property
    def done(self) -> int:
        return sum(count for status, count in self.jobs.items() if status in ENDED)

    @property
    def finished(self) -> datetime | None:
        """When the last of them ended, if all have."""
        return self.last_finished if self.done == sum(self.jobs.values()) else None

    @property
    def mean_score(self) -> float | None:
        return fmean(self.scores) if self.scores else None

    @property
    def median_score(self) -> float | None:
        return median(self.scores) if self.scores else None
