"""The static files of the pages and the pane."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response

from serving.pages.assets import assets
from serving.pages.rendering import ASK_EACH_TIME

FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@router.get("/static/{digest}/{name}")
async def static_file(digest: str, name: str, accept_encoding: Annotated[str, Header()] = "") -> Response:
    """An address with an older digest gets today's file, not to be kept: a rollout may serve both."""
    asset = assets().by_name.get(name)
    if asset is None:
        return Response(f"There is no file {name!r} here.", status_code=404, media_type="text/plain")
    caching = FOR_EVER if digest == assets().digest else ASK_EACH_TIME
    headers = {"Cache-Control": caching, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    if "gzip" not in accept_encoding:
        return Response(asset.body, media_type=asset.media_type, headers=headers)
    return Response(asset.gzipped, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
