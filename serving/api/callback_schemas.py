"""What a client's own address is told: how a job or a batch ended, and where to read on. No text of an article."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel

from agent.finding import Severity
from serving.api.batch_schemas import BatchStatusOut
from serving.api.schemas import Links
from serving.callback import Callback, EndedBatch, EndedJob
from serving.job import JobStatus


class EndedJobOut(BaseModel):
    """A job that has ended."""

    job_id: str
    status: JobStatus
    document_id: str
    score: float | None
    findings: dict[Severity, int]
    reason: str | None  # why it failed
    version: str
    submitted: datetime
    finished: datetime | None
    links: Links

    @classmethod
    def of(cls, ended: EndedJob) -> Self:
        job = ended.job
        return cls(
            job_id=job.id,
            status=job.status,
            document_id=job.request.document_id,
            score=ended.score,
            findings=dict(ended.findings),
            reason=job.reason or None,
            version=job.version,
            submitted=job.submitted,
            finished=job.finished,
            links=Links.of(job),
        )


class CallbackOut(BaseModel):
    """The body of a call."""

    type: Literal["job.ended", "batch.ended"]
    timestamp: datetime | None  # when it ended
    data: EndedJobOut | BatchStatusOut

    @classmethod
    def of(cls, callback: Callback) -> Self:
        ended = callback.ended
        if isinstance(ended, EndedBatch):
            status = BatchStatusOut.at(ended.batch, ended.progress)
            return cls(type="batch.ended", timestamp=status.finished, data=status)
        return cls(type="job.ended", timestamp=ended.job.finished, data=EndedJobOut.of(ended))


def callback_body(callback: Callback) -> bytes:
    """The same bytes in each attempt."""
    return CallbackOut.of(callback).model_dump_json().encode()
