"""The page at `/` and its static files. Everything it knows comes from the API, in the browser."""

import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from agent.article import MAX_CHARACTERS
from serving.pages.assets import assets

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

router = APIRouter(include_in_schema=False)


@router.get("/")
async def editor_page(if_none_match: Annotated[str, Header()] = "") -> Response:
    page = _templates.get_template("editor.html").render(asset=assets().url, max_characters=MAX_CHARACTERS)
    etag = f'"{hashlib.sha256(page.encode()).hexdigest()[:16]}"'
    headers = {**SECURITY_HEADERS, "Cache-Control": ASK_EACH_TIME, "ETag": etag}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(page, media_type="text/html", headers=headers)


@router.get("/static/{digest}/{name}")
async def static_file(digest: str, name: str) -> Response:
    """An address with an older digest gets today's file, not to be kept: a rollout may serve both."""
    asset = assets().by_name.get(name)
    if asset is None:
        return Response(f"There is no file {name!r} here.", status_code=404, media_type="text/plain")
    caching = FOR_EVER if digest == assets().digest else ASK_EACH_TIME
    headers = {"Cache-Control": caching, "X-Content-Type-Options": "nosniff"}
    return Response(asset.body, media_type=asset.media_type, headers=headers)
