"""Accepts an article: from here on it is never lost."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from agent.article import Article
from agent.stored_article import dump_article
from serving.job import Job, Priority, Request
from serving.keys import ARTICLE_SECONDS, article_key
from serving.ports.jobs import JobStore, Submission
from serving.ports.storage import BlobStore, Cache
from serving.traffic import Split

DUPLICATES = timedelta(seconds=ARTICLE_SECONDS)  # an equal article within it is not checked again


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that stands for the request; `duplicate` when it was there before."""

    job: Job
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """How a client asked for a check, beside the article and what is to be checked of it."""

    idempotency_key: str = ""
    request_hash: str = ""
    priority: Priority = Priority.INTERACTIVE
    callback_url: str = ""
    batch: str = ""
    trace_parent: str = ""


async def submit(
    store: JobStore,
    blobs: BlobStore,
    split: Split,
    cache: Cache,
    *,
    article: Article,
    request: Request,
    asked: Asked,
    queue_limit: int,
    now: datetime,
) -> Accepted:
    """Binds the article to a version and queues it, unless an earlier job stands for it.

    Raises NoChampion, UnknownGuideline, QueueFull, and IdempotencyConflict when the key stands for another request.
    """
    version = split.version_of(article, request)
    version.pack.select(request.guidelines)
    stored_article = dump_article(article)
    content = article_hash(stored_article, request, version.stamp.digest)
    # Who wants to be called gets a job that is still to end.
    duplicates_since = None if asked.callback_url else now - DUPLICATES
    if duplicates_since and not asked.idempotency_key:
        earlier = await _kept(cache, store, content)
        if earlier is not None and earlier.stands_for(asked.priority, duplicates_since):
            return Accepted(earlier, duplicate=True)
    job = Job(
        id=uuid4().hex,
        request=request,
        version=version.stamp.number,
        code_digest=version.stamp.code_digest,
        blob=await blobs.put(stored_article),
        submitted=now,
        priority=asked.priority,
        article_hash=content,
        callback_url=asked.callback_url,
        batch=asked.batch,
        trace_parent=asked.trace_parent,
    )
    submission = Submission(job, asked.idempotency_key, asked.request_hash, duplicates_since, queue_limit)
    stored = await store.add(submission)
    if stored.article_hash == content:  # a key may stand for another article, whose file was replaced meanwhile
        await cache.put(article_key(content), stored.id.encode(), revision=0, seconds=ARTICLE_SECONDS)
    return Accepted(stored, duplicate=stored.id != job.id)


async def _kept(cache: Cache, store: JobStore, content: str) -> Job | None:
    """The job that equal content was given last, without asking the database for it."""
    job_id = await cache.get(article_key(content))
    job = await store.get(job_id.decode()) if job_id else None
    return job if job and job.article_hash == content else None


def article_hash(stored_article: bytes, request: Request, version_digest: str) -> str:
    """Equal where a check would come to the same for the same user.

    The document is in it, because what an editor dismissed counts for one document.
    """
    guidelines = None if request.guidelines is None else sorted(set(request.guidelines))
    parts = [request.user, request.document_id, request.language, version_digest, guidelines]
    digest = hashlib.sha256(json.dumps(parts).encode())
    digest.update(stored_article)
    return digest.hexdigest()
