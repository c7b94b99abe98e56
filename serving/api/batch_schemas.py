"""What crosses the wire of batches."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from agent.finding import Severity
from serving.api.given import Given
from serving.api.schemas import ArticleIn, CallbackUrl, Channel, DocumentId, GuidelineIds, Language, Title
from serving.batch import Batch, BatchJob, GuidelineCount, Progress
from serving.job import JobStatus

MOST = 1000  # articles in a batch
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=200)]


class BatchArticleIn(Given):
    """One article of a batch."""

    article: ArticleIn
    title: Title = ""
    language: Language = ""  # empty: the batch's
    document_id: DocumentId = ""


class BatchIn(Given):
    """Articles to be checked together, behind what editors wait for."""

    name: Name = ""
    channel: Channel = "batch"
    language: Language = ""
    guidelines: GuidelineIds | None = None  # ids; null: all
    articles: Annotated[list[BatchArticleIn], Field(min_length=1, max_length=MOST, fail_fast=True)]
    callback_url: CallbackUrl = ""  # called, signed, when all of them have ended; https


class BatchLinks(BaseModel):
    self: str
    jobs: str

    @classmethod
    def of(cls, batch: Batch) -> Self:
        base = f"/api/v1/compliance/batches/{batch.id}"
        return cls(self=base, jobs=f"{base}/jobs")


class BatchOut(BaseModel):
    """A batch that was accepted."""

    batch_id: str
    name: str
    total: int
    submitted: datetime
    links: BatchLinks

    @classmethod
    def of(cls, batch: Batch) -> Self:
        return cls(
            batch_id=batch.id,
            name=batch.name,
            total=batch.total,
            submitted=batch.submitted,
            links=BatchLinks.of(batch),
        )


class GuidelineCountOut(BaseModel):
    """What one guideline came to."""

    guideline: str
    severity: Severity
    articles: int  # with findings
    findings: int

    @classmethod
    def of(cls, count: GuidelineCount) -> Self:
        return cls(guideline=count.guideline, severity=count.severity, articles=count.articles, findings=count.findings)


class SummaryOut(BaseModel):
    """What was found so far, as it was checked: what editors dismissed later is in it."""

    scored: int  # articles
    mean_score: float | None
    median_score: float | None
    lowest_score: float | None
    guidelines: list[GuidelineCountOut]  # with findings, the most first

    @classmethod
    def of(cls, progress: Progress) -> Self:
        return cls(
            scored=len(progress.scores),
            mean_score=_tenths(progress.mean_score),
            median_score=_tenths(progress.median_score),
            lowest_score=min(progress.scores, default=None),
            guidelines=[GuidelineCountOut.of(count) for count in progress.guidelines],
        )


class BatchStatusOut(BatchOut):
    """How a batch stands."""

    done: int  # jobs that ended, however they did
    finished: datetime | None  # when the last of them ended
    jobs: dict[JobStatus, int]
    summary: SummaryOut

    @classmethod
    def at(cls, batch: Batch, progress: Progress) -> Self:
        return cls(
            **BatchOut.of(batch).model_dump(),
            done=progress.done,
            finished=progress.finished,
            jobs={status: progress.jobs.get(status, 0) for status in JobStatus},
            summary=SummaryOut.of(progress),
        )


class BatchesOut(BaseModel):
    """A page of batches, the latest first."""

    batches: list[BatchOut]
    next: str | None


class BatchJobOut(BaseModel):
    """One article of a batch."""

    number: int  # in the manifest, from 1
    job_id: str
    document_id: str
    title: str
    status: JobStatus
    score: float | None
    reason: str | None  # why it failed
    result: str  # where its report is

    @classmethod
    def of(cls, item: BatchJob) -> Self:
        job = item.job
        return cls(
            number=item.number,
            job_id=job.id,
            document_id=job.request.document_id,
            title=job.request.title,
            status=job.status,
            score=item.score,
            reason=job.reason or None,
            result=f"/api/v1/jobs/{job.id}/result",
        )


class BatchJobsOut(BaseModel):
    """A page of a batch's articles, in the order of the manifest."""

    jobs: list[BatchJobOut]
    next: str | None


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
