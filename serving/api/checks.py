"""`/api/v1/compliance`: articles come in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response, status

from serving.about import about
from serving.access.caller import Caller
from serving.api.access import Who
from serving.api.schemas import JobOut, Links
from serving.api.services import Services, services
from serving.api.submission import OPENAPI_BODY, Sent, read_submission
from serving.together import together
from serving.tracing import Kind, span
from serving.usecases.intake import must_be_callable
from serving.usecases.submit import Accepted, Asked, submit

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
    sent = await read_submission(request, caller, use.blobs)
    with span(use.traces, "submit", Kind.PRODUCER) as submitting:
        earlier = await use.jobs.of_key(caller.user, idempotency_key, sent.digest) if idempotency_key else None
        accepted = Accepted(earlier, duplicate=True) if earlier else await _submit(use, sent, caller, idempotency_key)
        submitting.note({"copydesk.job_id": accepted.job.id, "copydesk.duplicate": accepted.duplicate})
    use.metrics.looked_up("duplicates", hits=int(accepted.duplicate), misses=int(not accepted.duplicate))
    response.headers["Location"] = Links.of(accepted.job).status
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return JobOut.of(accepted.job, duplicate=accepted.duplicate)


async def _submit(use: Services, sent: Sent, caller: Caller, idempotency_key: str) -> Accepted:
    must_be_callable(sent.options.callback_url, use.settings.callback_rules, use.settings.webhook_keys)
    split, article = await together(use.traffic.at_present(), sent.read())
    return await submit(
        use.jobs,
        use.blobs,
        split,
        use.cache,
        article=article,
        request=sent.request(article, caller.user),
        asked=Asked(
            idempotency_key,
            sent.digest,
            sent.priority,
            sent.options.callback_url,
            trace_parent=about().trace_parent,
        ),
        queue_limit=use.settings.limit_of(sent.priority),
        now=use.clock(),
    )
