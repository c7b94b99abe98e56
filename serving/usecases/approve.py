"""A guideline owner decides about dismissals."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.finding import Finding
from agent.report import ComplianceReport
from agent.stored_article import load_article
from serving.access.audit import Actor
from serving.errors import DismissalNotFound
from serving.feedback import ApprovalStatus, Entry
from serving.ports.feedback import Approvals
from serving.ports.jobs import JobStore
from serving.ports.storage import BlobStore

AT_ONCE = 8  # jobs that are read: a page may have a hundred


@dataclass(frozen=True, slots=True)
class Passage:
    """A finding in the paragraph it is in."""

    finding: Finding
    text: str


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A dismissal with what it is about; None where the article is no longer kept."""

    entry: Entry
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A page of dismissals, and whether there are more."""

    dismissals: list[Dismissal]
    more: bool


async def pending(approvals: Approvals, jobs: JobStore, blobs: BlobStore, *, after: int, limit: int) -> Pending:
    """Dismissals that nobody has judged yet, the oldest first, from the one after an id on."""
    found = await approvals.pending(after, limit + 1)
    entries = found[:limit]
    ids, turn = list({entry.job_id for entry in entries}), asyncio.Semaphore(AT_ONCE)

    async def read(job_id: str) -> Mapping[str, Passage]:
        async with turn:
            return await _passages(jobs, blobs, job_id)

    passages = dict(zip(ids, await asyncio.gather(*map(read, ids)), strict=True))
    dismissals = [Dismissal(entry, passages[entry.job_id].get(entry.decision.finding)) for entry in entries]
    return Pending(dismissals, more=len(found) > limit)


async def judge(
    approvals: Approvals, *, id: int, status: ApprovalStatus, by: Actor, comment: str, now: datetime
) -> Entry:
    """The dismissal as it stands by then; raises DismissalNotFound."""
    entry = await approvals.judge(id, status, by=by, comment=comment, now=now)
    if entry is None:
        raise DismissalNotFound(
            f"there is no dismissal {id} that needs an approval: its editor may have changed it since; "
            "/api/v1/dismissals lists those that wait"
        )
    return entry


async def _passages(jobs: JobStore, blobs: BlobStore, job_id: str) -> Mapping[str, Passage]:
    job, report = await jobs.get(job_id), await jobs.result(job_id)
    data = await blobs.get(job.blob) if job else None
    if report is None or data is None:
        return {}
    return await asyncio.to_thread(_read, data, report)


def _read(data: bytes, report: str) -> Mapping[str, Passage]:
    article = load_article(data)
    return {
        finding.fingerprint: Passage(finding, article.paragraph_at(finding.start).text)
        for finding in ComplianceReport.model_validate_json(report).findings
    }
