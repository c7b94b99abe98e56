"""Ports that are counted: each does what the one inside does."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

from agent.check_cache import KeyValues
from agent.report import ComplianceReport
from serving.job import Job
from serving.metrics import Metrics, WorkerMetrics
from serving.ports.jobs import Leases
from serving.ports.storage import BlobStore, Cache

CACHES = {"job:status:": "status", "job:result:": "result"}  # by how a key begins


class MeasuredCache:
    def __init__(self, cache: Cache, metrics: Metrics) -> None:
        self._cache = cache
        self._metrics = metrics

    async def get(self, key: str) -> bytes | None:
        found = await self._cache.get(key)
        if name := CACHES.get(key[:11]):
            self._metrics.looked_up(name, hits=int(found is not None), misses=int(found is None))
        return found

    async def put(self, key: str, value: bytes, *, revision: int, seconds: float) -> None:
        await self._cache.put(key, value, revision=revision, seconds=seconds)

    async def drop(self, *keys: str) -> None:
        await self._cache.drop(*keys)


class MeasuredKeyValues:
    """Finished checks: one key a paragraph and guideline."""

    def __init__(self, kept: KeyValues, metrics: Metrics) -> None:
        self._kept = kept
        self._metrics = metrics

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        found = await self._kept.get(keys)
        self._metrics.looked_up("checks", hits=len(found), misses=len(set(keys)) - len(found))
        return found

    async def put(self, values: Mapping[str, bytes]) -> None:
        await self._kept.put(values)


class MeasuredBlobs:
    def __init__(self, blobs: BlobStore, metrics: Metrics) -> None:
        self._blobs = blobs
        self._metrics = metrics

    async def put(self, data: bytes) -> str:
        key = await self._blobs.put(data)
        self._metrics.blob_bytes.labels("in").inc(len(data))
        return key

    async def get(self, key: str) -> bytes | None:
        data = await self._blobs.get(key)
        self._metrics.blob_bytes.labels("out").inc(len(data or b""))
        return data

    async def incoming(self, name: str) -> bytes | None:
        data = await self._blobs.incoming(name)
        self._metrics.blob_bytes.labels("out").inc(len(data or b""))
        return data

    def older_than(self, moment: datetime) -> AsyncIterator[str]:
        return self._blobs.older_than(moment)

    async def delete(self, key: str, *, put_before: datetime) -> bool:
        return await self._blobs.delete(key, put_before=put_before)


class MeasuredLeases:
    """Counts what is stored, so an attempt that lost its job counts nothing."""

    def __init__(self, leases: Leases, metrics: WorkerMetrics) -> None:
        self._leases = leases
        self._metrics = metrics

    async def claim(self, job_id: str, attempt: int, now: datetime, lease: timedelta) -> Job | None:
        job = await self._leases.claim(job_id, attempt, now, lease)
        if job is not None and job.attempt == 1:
            self._metrics.job_wait.observe((now - job.submitted).total_seconds())
        return job

    async def renew(self, job: Job, until: datetime) -> bool:
        return await self._leases.renew(job, until)

    async def progress(self, job: Job, checked: Sequence[str], total: int) -> Job | None:
        return await self._leases.progress(job, checked, total)

    async def retry(self, job: Job, now: datetime, reason: str, *, pause: timedelta, max_attempts: int) -> Job | None:
        return self._went_back(
            await self._leases.retry(job, now, reason, pause=pause, max_attempts=max_attempts), "failure"
        )

    async def finish(self, job: Job, report: ComplianceReport | None, recording: bytes | None = None) -> Job | None:
        stored = await self._leases.finish(job, report, recording)
        if stored is not None:
            self._metrics.jobs.labels(stored.status).inc()
            if stored.started and stored.finished:
                self._metrics.job_duration.observe((stored.finished - stored.started).total_seconds())
            if report is not None:
                self._metrics.reported(report)
        return stored

    async def hand_back(self, job: Job, reason: str, *, due: datetime | None = None) -> Job | None:
        back = await self._leases.hand_back(job, reason, due=due)
        return self._went_back(back, "outage" if due else "shutdown")

    async def give_back(self, now: datetime, *, max_attempts: int) -> list[Job]:
        given = await self._leases.give_back(now, max_attempts=max_attempts)
        for job in given:
            self._went_back(job, "silence")
        return given

    def _went_back(self, job: Job | None, reason: str) -> Job | None:
        if job is not None and job.ended:
            self._metrics.jobs.labels(job.status).inc()
        elif job is not None:
            self._metrics.job_retries.labels(reason).inc()
        return job
