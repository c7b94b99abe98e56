"""Removes what is older than it may be kept: articles first of all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from serving.ports.storage import BlobStore, Retention
from serving.settings import Ages

JOBS_AT_ONCE = 500  # in one transaction, so that nobody waits for long
KEYS_AT_ONCE = 500

# Takes the text out of MLflow's runs that began earlier; of how many.
ForgetRuns = Callable[[datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many of each were removed."""

    jobs: int = 0
    batches: int = 0
    articles: int = 0
    runs: int = 0  # in MLflow, which keep their figures
    audit: int = 0
    logs: int = 0

    def __str__(self) -> str:
        return (
            f"{self.jobs} jobs with their reports, {self.batches} batches, {self.articles} articles, "
            f"the text of {self.runs} runs in MLflow, {self.audit} audit entries, {self.logs} log files"
        )


async def purge(
    kept: Retention, blobs: BlobStore, forget_runs: ForgetRuns, logs: Path, *, ages: Ages, now: datetime
) -> Purged:
    """May be stopped at any moment and called again. Rows go before the articles they name."""
    articles = now - ages.articles
    jobs = 0
    while some := await kept.forget_jobs(articles, JOBS_AT_ONCE):
        jobs += some
    return Purged(
        jobs=jobs,
        batches=await kept.forget_batches(articles),
        articles=await _purge_blobs(kept, blobs, articles),
        audit=await kept.forget_audit(now - ages.audit),
        logs=_purge_files(logs, now - ages.logs),
        runs=await forget_runs(articles),  # last: nothing else waits until MLflow is back
    )


async def _purge_blobs(kept: Retention, blobs: BlobStore, before: datetime) -> int:
    keys = [key async for key in blobs.older_than(before)]
    removed = 0
    for start in range(0, len(keys), KEYS_AT_ONCE):
        part = keys[start : start + KEYS_AT_ONCE]
        used = await kept.used(part)
        for key in part:
            if key not in used:
                removed += await blobs.delete(key, put_before=before)
    return removed


def _purge_files(folder: Path, before: datetime) -> int:
    old = [path for path in folder.glob("*.log*") if path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
