"""`/api/v1/compliance`: articles come in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response, status

from serving.about import about
from serving.api.access import Who
from serving.api.schemas import JobOut, Links
from serving.api.services import Services, services
from serving.api.submission import OPENAPI_BODY, read_submission
from serving.tracing import Kind, span
from serving.usecases.intake import must_be_callable, must_be_open
from serving.usecases.submit import Asked, submit

RETRY_AFTER_SECONDS = "1"

router = APIRouter(prefix="/api/v1/compliance", tags=["check"])


@router.post("/check", status_code=status.HTTP_202_ACCEPTED, openapi_extra=OPENAPI_BODY)
async def check_article(
    request: Request,
    response: Response,
    use: Annotated[Services, Depends(services)],
    caller: Who,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> JobOut:
    """Accepts an article to be checked: JSON, or a file as `multipart/form-data`. Follow the links to its report."""
    await must_be_open(use.switches)
    incoming = await read_submission(request, caller, use.blobs)
    must_be_callable(incoming.callback_url, use.settings.callback_rules, use.settings.webhook_keys)
    with span(use.traces, "submit", Kind.PRODUCER) as submitting:
        asked = Asked(
            idempotency_key,
            incoming.digest,
            incoming.priority,
            incoming.callback_url,
            trace_parent=about().trace_parent,
        )
        accepted = await submit(
            use.jobs,
            use.blobs,
            use.traffic,
            use.cache,
            article=incoming.article,
            request=incoming.request,
            asked=asked,
            queue_limit=use.settings.limit_of(incoming.priority),
            now=use.clock(),
        )
        submitting.note({"copydesk.job_id": accepted.job.id, "copydesk.duplicate": accepted.duplicate})
    use.metrics.looked_up("duplicates", hits=int(accepted.duplicate), misses=int(not accepted.duplicate))
    response.headers["Location"] = Links.of(accepted.job).status
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return JobOut.of(accepted.job, duplicate=accepted.duplicate)
