"""`/api/v1/compliance/batches`: many articles at once, behind what editors wait for."""

import asyncio
import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status

from agent.article import Article
from agent.errors import CopydeskError
from serving.access.caller import Caller
from serving.api.access import Who
from serving.api.batch_inbox import read_named
from serving.api.batch_schemas import (
    BatchArticleIn,
    BatchesOut,
    BatchIn,
    BatchJobOut,
    BatchJobsOut,
    BatchOut,
    BatchStatusOut,
)
from serving.api.cursors import dump_cursor, dump_number, load_cursor, load_number
from serving.api.json_bodies import JsonRoute
from serving.api.services import Services, services
from serving.api.submission import article_of
from serving.batch import Batch
from serving.errors import BatchRefused
from serving.job import Request as CheckRequest
from serving.ports.control import DRAIN
from serving.usecases.follow_batch import cancel_rest, find_batch
from serving.usecases.intake import must_be_callable, must_be_open
from serving.usecases.submit_batch import Piece, submit_batch

NAMED = 10  # of the articles that can't be checked

router = APIRouter(prefix="/api/v1/compliance/batches", tags=["batches"], route_class=JsonRoute)

Use = Annotated[Services, Depends(services)]


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def check_batch(
    request: Request,
    response: Response,
    asked: BatchIn,
    use: Use,
    caller: Who,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> BatchOut:
    """Accepts up to 1,000 articles, all or none of them, to be checked when no editor waits."""
    request_hash = hashlib.sha256(await request.body()).hexdigest()
    earlier = await use.batches.of_key(caller.user, idempotency_key, request_hash) if idempotency_key else None
    batch = earlier or await _submit(use, asked, caller, idempotency_key, request_hash)
    accepted = BatchOut.of(batch)
    response.headers["Location"] = accepted.links.self
    return accepted


async def _submit(use: Services, asked: BatchIn, caller: Caller, idempotency_key: str, request_hash: str) -> Batch:
    must_be_open(await use.switches.get(DRAIN))
    must_be_callable(asked.callback_url, use.settings.callback_rules, use.settings.webhook_keys)
    named = await read_named(asked, caller, use.blobs)
    return await submit_batch(
        use.batches,
        use.blobs,
        use.versions,
        user=caller.user,
        name=asked.name,
        callback_url=asked.callback_url,
        pieces=await asyncio.to_thread(_pieces, asked, caller.user, named),
        idempotency_key=idempotency_key,
        request_hash=request_hash,
        queue_limit=use.settings.batch_queue_limit,
        now=use.clock(),
    )


@router.get("")
async def list_batches(
    use: Use, caller: Who, cursor: str = "", limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> BatchesOut:
    """Your batches, the latest first."""
    found = await use.batches.page(caller.user, load_cursor(cursor), limit + 1)
    page = found[:limit]
    following = dump_cursor(page[-1].submitted, page[-1].id) if len(found) > limit else None
    return BatchesOut(batches=[BatchOut.of(batch) for batch in page], next=following)


@router.get("/{batch_id}")
async def batch_status(batch_id: str, response: Response, use: Use, caller: Who) -> BatchStatusOut:
    """How many articles are done, and what was found in them so far."""
    batch = await find_batch(use.batches, batch_id=batch_id, user=caller.user)
    response.headers["Cache-Control"] = "no-store"
    return BatchStatusOut.at(batch, await use.batches.progress(batch.id))


@router.get("/{batch_id}/jobs")
async def batch_jobs(
    batch_id: str, use: Use, caller: Who, cursor: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> BatchJobsOut:
    """The articles in the order they were sent, each with its score and where its report is."""
    batch = await find_batch(use.batches, batch_id=batch_id, user=caller.user)
    found = await use.batches.jobs(batch.id, load_number(cursor), limit + 1)
    page = found[:limit]
    following = dump_number(page[-1].number) if len(found) > limit else None
    return BatchJobsOut(jobs=[BatchJobOut.of(item) for item in page], next=following)


@router.delete("/{batch_id}")
async def cancel_batch(batch_id: str, use: Use, caller: Who) -> BatchStatusOut:
    """Cancels the articles that wait or run; what was checked stays."""
    batch = await find_batch(use.batches, batch_id=batch_id, user=caller.user)
    async for job in cancel_rest(use.batches, use.jobs, batch_id=batch.id, now=use.clock()):
        use.metrics.jobs.labels(job.status).inc()
        await use.answers.changed(job)
    return BatchStatusOut.at(batch, await use.batches.progress(batch.id))


def _pieces(asked: BatchIn, user: str, named: dict[int, Article | CopydeskError]) -> list[Piece]:
    """Raises BatchRefused, with each of the articles that can't be checked."""
    pieces: list[Piece] = []
    refused: list[str] = []
    for number, item in enumerate(asked.articles, 1):
        try:
            pieces.append(_piece(item, asked, user, named.get(number)))
        except CopydeskError as error:
            refused.append(f"article {number}{f' ({item.document_id})' if item.document_id else ''}: {error}")
    if refused:
        more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        raise BatchRefused(
            f"{len(refused)} of {len(asked.articles)} articles can't be checked, so none was accepted: "
            f"{'; '.join(refused[:NAMED])}{more}"
        )
    return pieces


def _piece(item: BatchArticleIn, asked: BatchIn, user: str, named: Article | CopydeskError | None) -> Piece:
    if isinstance(named, CopydeskError):
        raise named
    article = named or article_of(item.article, title=item.title, language=item.language or asked.language)
    request = CheckRequest(
        user=user,
        channel=asked.channel,
        document_id=item.document_id or item.article.blob or "",
        title=article.title,
        language=article.language,
        guidelines=None if asked.guidelines is None else tuple(asked.guidelines),
    )
    return Piece(article, request)
