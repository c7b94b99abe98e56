"""Accepts articles together: all of them or none."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from agent.article import Article
from agent.stored_article import dump_article
from serving.batch import Batch
from serving.job import Job, Priority, Request
from serving.ports.batches import Batches, BatchSubmission
from serving.ports.storage import BlobStore
from serving.ports.versions import ServedVersion, ServedVersions
from serving.usecases.readiness import served_champion
from serving.usecases.submit import article_hash

AT_ONCE = 8  # articles on their way to the blob store


@dataclass(frozen=True, slots=True)
class Piece:
    """One article of a batch."""

    article: Article
    request: Request


async def submit_batch(
    store: Batches,
    blobs: BlobStore,
    versions: ServedVersions,
    *,
    user: str,
    name: str,
    callback_url: str,
    pieces: Sequence[Piece],
    idempotency_key: str,
    request_hash: str,
    queue_limit: int,
    now: datetime,
) -> Batch:
    """All articles are checked by the version that is champion now.

    Raises UnknownGuideline, NoChampion, QueueFull, and IdempotencyConflict when the key stands for another request.
    """
    version = await served_champion(versions)
    for guidelines in {piece.request.guidelines for piece in pieces}:
        version.pack.select(guidelines)
    batch = Batch(uuid4().hex, user, name, len(pieces), now, callback_url)
    room = asyncio.Semaphore(AT_ONCE)

    async def job(piece: Piece) -> Job:
        async with room:
            stored_article = dump_article(piece.article)
            blob = await blobs.put(stored_article)
            return _job(batch, piece, version, blob, article_hash(stored_article, piece.request, version.stamp.digest))

    jobs = tuple(await asyncio.gather(*map(job, pieces)))
    return await store.add(BatchSubmission(batch, jobs, idempotency_key, request_hash, queue_limit))


def _job(batch: Batch, piece: Piece, version: ServedVersion, blob: str, content: str) -> Job:
    return Job(
        id=uuid4().hex,
        request=piece.request,
        version=version.stamp.number,
        code_digest=version.stamp.code_digest,
        blob=blob,
        submitted=batch.submitted,
        priority=Priority.BATCH,
        article_hash=content,
        batch=batch.id,
    )
