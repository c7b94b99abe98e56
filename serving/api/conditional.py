"""Answers with an ETag, and how long they may be kept (RFC 9110 section 13, RFC 9111)."""

from fastapi import Request
from fastapi.responses import Response

from serving.answers import Answer
from serving.job import ENDED
from serving.keys import ENDED_STATUS_SECONDS, RESULT_SECONDS

STATUS_SECONDS = int(ENDED_STATUS_SECONDS)
REPORT_SECONDS = int(RESULT_SECONDS)
TERMINAL = "X-Job-Terminal"  # for a gateway: only what doesn't change any more may be kept


def answered(request: Request, answer: Answer, *, seconds: int, status: int = 200) -> Response:
    """304 without a body where the client has it already."""
    headers = {"ETag": answer.etag}
    if answer.status in ENDED:
        headers |= {"Cache-Control": f"private, max-age={seconds}", TERMINAL: "true", "Vary": "Authorization"}
    else:
        headers |= {"Cache-Control": "no-store"}
    if status == 200 and _matches(request.headers.get("if-none-match", ""), answer.etag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, status, headers, media_type="application/json")


def _matches(asked: str, etag: str) -> bool:
    """Weak comparison: a proxy that compresses makes a strong tag weak."""
    return asked.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in asked.split(","))
