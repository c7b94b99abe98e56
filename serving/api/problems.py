"""Failures as problem documents (RFC 9457), mapped here and nowhere else."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from agent.errors import CopydeskError
from serving.about import about
from serving.api.observed import REQUEST_ID

MEDIA_TYPE = "application/problem+json"
MOST_MISTAKES = 10  # named in one answer
MOST_PLACE, MOST_DETAIL = 200, 2_000  # characters: a client chooses the names of fields and what is quoted
UNFORESEEN = "something went wrong here and was logged: try again in a moment"

logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """A failure (RFC 9457)."""

    type: str  # stable
    title: str  # the type in words
    status: int
    detail: str  # names the value and the way out
    request_id: str  # to be named to whoever looks into the logs


_CONTENT = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
# For the API's description: every endpoint may answer so.
RESPONSES: dict[int | str, dict[str, object]] = {
    "4XX": {"description": "The request can't be served as it is", "content": _CONTENT},
    422: {"description": "The article or an option is not valid", "content": _CONTENT},
    "5XX": {"description": "The service can't serve it now", "content": _CONTENT},
}


def problem(
    type: str,
    status: int,
    detail: str,
    *,
    retry_after: int | None = None,
    members: Mapping[str, object] = MappingProxyType({}),
) -> JSONResponse:
    """`type` is stable; `title` is it in words; `detail` names the value and the way out; `members` are more."""
    body = {"type": type, "title": type.replace("-", " ").capitalize(), "status": status, "detail": shortened(detail)}
    body |= {"request_id": about().request_id, **members}
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(CopydeskError, _anticipated)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, http_problem)
    app.add_exception_handler(Exception, _unexpected)


async def _anticipated(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CopydeskError)  # noqa: S101 - registered for it
    answer = problem(error.type, error.status, str(error), retry_after=getattr(error, "retry_after", None))
    answer.headers.update(getattr(error, "headers", {}))
    return answer


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    return problem("invalid-request", 422, _mistakes(error.errors()))


async def http_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    name = HTTPStatus(error.status_code).phrase
    answer = problem(name.lower().replace(" ", "-"), error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    answer = problem("internal-error", 500, UNFORESEEN)
    answer.headers[REQUEST_ID] = about().request_id  # this handler is outside of what adds it elsewhere
    return answer


def shortened(text: str, most: int = MOST_DETAIL) -> str:
    """What is longer goes without its middle: the value is named at its beginning, and the way out at its end."""
    left_out = len(text) - most
    return text if left_out <= 0 else f"{text[: most // 2]} ({left_out:,} characters left out) {text[-most // 2 :]}"


def _mistakes(errors: Sequence[dict[str, Any]]) -> str:
    more = [f"and {len(errors) - MOST_MISTAKES} more"] if len(errors) > MOST_MISTAKES else []
    return "; ".join([*(_sentence(details) for details in errors[:MOST_MISTAKES]), *more])


def _sentence(details: dict[str, Any]) -> str:
    where = ".".join(str(step) for step in details.get("loc", ()) if step != "body")
    return f"{shortened(where, MOST_PLACE) or 'the body'}: {details['msg']}"
