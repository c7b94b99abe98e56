"""Reads a request to check an article: JSON, or a file in a form."""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from agent.article import Article, Block
from agent.formats.reading import (
    article_from_html,
    article_from_markdown,
    article_from_paragraphs,
    article_from_text,
    read_article,
)
from serving.access.caller import Caller, Permission
from serving.api.json_bodies import must_have_few_values
from serving.api.schemas import ArticleIn, CheckIn, Options
from serving.errors import BadRequest
from serving.job import Priority, Request
from serving.ports.storage import BlobStore
from serving.usecases.read_inbox import read_from_inbox

OPENAPI_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/CheckIn"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": ".txt, .md, .html or .docx"},
                        **{name: {"type": "string"} for name in ("title", "language", "document_id", "channel")},
                        "priority": {"enum": ["interactive", "batch"]},
                        "callback_url": {"type": "string", "description": "called when the job has ended"},
                        "guidelines": {"type": "string", "description": "ids, separated by commas"},
                    },
                }
            },
        },
    }
}


SHORT, FEW = 20_000, 200  # bytes of a request and its lines: plain text of that size is read in a millisecond
MOST_NAME = 500  # characters: it is the document's id where none is given


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sent to be checked, before its article is read; `digest` tells equal requests."""

    options: Options
    digest: str
    read: Callable[[], Awaitable[Article]]

    @property
    def priority(self) -> Priority:
        return Priority[self.options.priority.upper()]

    def request(self, article: Article, user: str) -> Request:
        guidelines = self.options.guidelines
        return Request(
            user=user,
            channel=self.options.channel,
            document_id=self.options.document_id,
            title=article.title,
            language=article.language,
            guidelines=None if guidelines is None else tuple(guidelines),
        )


async def read_submission(http: HttpRequest, caller: Caller, blobs: BlobStore) -> Sent:
    """Raises BadRequest, RequestValidationError, and NotAllowed where a file of the inbox is named.

    Reading its article raises ArticleError for one that can't be checked; from the inbox also BlobNotFound and
    BlobStoreUnavailable.
    """
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        body = await http.body()
        must_have_few_values(body)
        given = _validated(body)
        if given.article.blob is not None:
            return _from_inbox(given, given.article.blob, caller, blobs, body)
        return _sent(given, body, partial(_read, given, size=len(body)))
    if kind == "multipart/form-data":
        async with http.form(max_files=1, max_fields=20) as form:
            return await _upload(form)
    raise BadRequest(
        f"the request's Content-Type is {kind or 'missing'!r}: send application/json, or a file as multipart/form-data"
    )


async def _read(given: CheckIn, size: int) -> Article:
    """In a thread what takes long; a thread for the rest would hold the interpreter as long, and come on top."""
    read = partial(article_of, given.article, title=given.title, language=given.language)
    return read() if size <= SHORT and _lines(given.article) <= FEW else await asyncio.to_thread(read)


def _lines(given: ArticleIn) -> float:
    """Of plain text; anything else is to be parsed first, which takes longer than any of it."""
    if given.paragraphs is not None:
        return len(given.paragraphs)
    return math.inf if given.text is None else given.text.count("\n") + given.text.count("\r")


def _from_inbox(given: CheckIn, name: str, caller: Caller, blobs: BlobStore, body: bytes) -> Sent:
    caller.must(Permission.INBOX)
    options = given if given.document_id else given.model_copy(update={"document_id": name})
    return _sent(options, body, partial(read_from_inbox, blobs, name=name, title=given.title, language=given.language))


async def _upload(form: FormData) -> Sent:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise BadRequest("the form has no file: send the article in a field named file")
    fields: dict[str, object] = {name: value for name, value in form.items() if name != "file"}
    if isinstance(listed := fields.get("guidelines"), str):
        fields["guidelines"] = [id.strip() for id in listed.split(",") if id.strip()]
    try:
        options = Options.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error
    data = await file.read()
    name = PurePath(file.filename or "upload").name
    if len(name) > MOST_NAME:
        raise BadRequest(f"the file's name has {len(name):,} characters: send it under one of at most {MOST_NAME}")
    if not options.document_id:
        options = options.model_copy(update={"document_id": name})
    read = partial(asyncio.to_thread, read_article, data, name, title=options.title, language=options.language)
    return _sent(options, name.encode() + b"\0" + data, read)


def _sent(options: Options, body: bytes, read: Callable[[], Awaitable[Article]]) -> Sent:
    asked = options.model_dump_json(include=set(Options.model_fields)).encode()
    return Sent(options, hashlib.sha256(asked + b"\0" + body).hexdigest(), read)


def _validated(body: bytes) -> CheckIn:
    try:
        return CheckIn.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        if mistakes[0]["type"] == "json_invalid":
            raise BadRequest(f"the body is not JSON: {mistakes[0]['ctx']['error']}") from error
        raise RequestValidationError(mistakes) from error


def article_of(given: ArticleIn, *, title: str, language: str) -> Article:
    """Raises ArticleError for one that can't be checked. Files of the inbox are read elsewhere."""
    if given.html is not None:
        return article_from_html(given.html, title=title, language=language)
    if given.markdown is not None:
        return article_from_markdown(given.markdown, title=title, language=language)
    if given.paragraphs is not None:
        paragraphs = [one if isinstance(one, str) else Block(one.text, one.kind, one.level) for one in given.paragraphs]
        return article_from_paragraphs(paragraphs, title=title, language=language)
    return article_from_text(given.text or "", title=title, language=language)
