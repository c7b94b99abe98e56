"""`/api/v1/jobs/{id}/events`: a job's way as server-sent events, one connection instead of a question a second."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from serving.answers import Answer
from serving.api.access import Who
from serving.api.services import Services, services
from serving.job import ENDED

RECONNECT_MS = 2000
LONGEST_SECONDS = 240.0  # gateways cut longer ones; clients come back by themselves

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])


async def own_status(job_id: str, use: Annotated[Services, Depends(services)], caller: Who) -> Answer:
    """Before the stream begins, so that an unknown job is a problem and no stream."""
    return await use.answers.status(job_id, caller.user)


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def job_events(
    request: Request,
    job_id: str,
    use: Annotated[Services, Depends(services)],
    first: Annotated[Answer, Depends(own_status)],
) -> AsyncIterator[ServerSentEvent]:
    """`guideline` as each one finishes, `status` at every change, until the job has ended; then the stream ends."""
    told: set[str] = set()
    last = ""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_SECONDS
    changes = use.watch.changes(job_id)
    try:
        async for _ in changes:
            if loop.time() > until or await request.is_disconnected():
                return
            answer = await use.answers.status_now(job_id, first.user)
            if answer.etag == last:
                continue
            last = answer.etag
            status = json.loads(answer.body)
            for guideline in status["checked"]:
                if guideline not in told:
                    told.add(guideline)
                    finished = {"guideline": guideline, "done": len(told), "total": status["total"]}
                    yield ServerSentEvent(data=finished, event="guideline", retry=RECONNECT_MS)
            yield ServerSentEvent(data=status, event="status", id=answer.etag.strip('"'), retry=RECONNECT_MS)
            if answer.status in ENDED:
                return
    finally:
        await changes.aclose()
