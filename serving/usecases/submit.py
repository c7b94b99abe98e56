"""Accepts an article: from here on it is never lost."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from agent.article import Article
from agent.stored_article import dump_article
from serving.errors import IdempotencyConflict, QueueFull
from serving.job import Job, Request
from serving.ports import BlobStore, JobStore, ServedVersions, Submission
from serving.usecases.readiness import served_champion


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that stands for the request; `duplicate` when it was there before."""

    job: Job
    duplicate: bool


async def submit(
    store: JobStore,
    blobs: BlobStore,
    versions: ServedVersions,
    *,
    article: Article,
    request: Request,
    idempotency_key: str,
    request_hash: str,
    queue_limit: int,
    now: datetime,
) -> Accepted:
    """Binds the article to the champion and queues it.

    Raises UnknownGuideline, NoChampion, QueueFull, and IdempotencyConflict when the key stands for another request.
    """
    if earlier := await _earlier(store, request.user, idempotency_key, request_hash):
        return Accepted(earlier, duplicate=True)
    version = await served_champion(versions)
    version.pack.select(request.guidelines)
    if (waiting := await store.waiting()) >= queue_limit:
        raise QueueFull(f"{waiting} jobs are waiting, the limit is {queue_limit}: try again in a moment")
    job = Job(
        id=uuid4().hex,
        request=request,
        version=version.stamp.number,
        code_digest=version.stamp.code_digest,
        blob=await blobs.put(dump_article(article)),
        submitted=now,
    )
    await store.add(Submission(job, idempotency_key, request_hash))
    # Two requests with one key at the same moment: the first row stands, and this finds it.
    stored = await _earlier(store, request.user, idempotency_key, request_hash) or job
    return Accepted(stored, duplicate=stored.id != job.id)


async def _earlier(store: JobStore, user: str, key: str, request_hash: str) -> Job | None:
    found = await store.by_idempotency_key(user, key) if key else None
    if found is None:
        return None
    job, earlier_hash = found
    if earlier_hash != request_hash:
        raise IdempotencyConflict(
            f"Idempotency-Key {key!r} was used for another article or other options: send this one with a new key"
        )
    return job
