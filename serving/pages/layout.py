"""What the pages of figures share: their templates, their headers, and how a failure looks to a browser.

Nothing runs in them. Forms only ask, but for signing in and out.
"""

import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from markupsafe import Markup

from agent.errors import CopydeskError
from serving.about import about
from serving.access.caller import Caller, NotSignedIn, Permission
from serving.api.problems import UNFORESEEN, http_problem
from serving.pages import rendering
from serving.pages.rendering import render

logger = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    **rendering.HEADERS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",  # figures of the house, of this moment
}
PAGES: tuple[tuple[str, str, Permission | None], ...] = (
    ("/runs", "Runs", Permission.FIGURES),
    ("/guidelines", "Guidelines", None),
    ("/promotions", "Promotions", None),
    ("/status", "Status", None),
    ("/admin", "Admin", Permission.ADMINISTER),
)


def page(template: str, caller: Caller | None, *, here: str, status: int = 200, **values: object) -> HTMLResponse:
    """`here` is the page's own path in the navigation; `caller` None is somebody unknown."""
    links = [(path, name) for path, name, needed in PAGES if needed is None or _may(caller, needed)]
    text = render(template, caller=caller, links=links, here=here, **values)
    return HTMLResponse(text, status, HEADERS)


def drawn(svg: str) -> Markup:
    """A chart, whose texts `charts` has escaped."""
    return Markup(svg)  # noqa: S704


class PageRoute(APIRoute):
    """Tells browsers of failures on a page, and programs in a problem document as everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_show(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedIn:
                if not _is_browser(request):
                    raise
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/sign-in?next={quote(asked)}", 303, {"Cache-Control": "no-store"})
            except CopydeskError as error:
                if not _is_browser(request):
                    raise
                return _failed(request, error.status, str(error))
            except RequestValidationError as error:
                if not _is_browser(request):
                    raise
                said = "; ".join(f"{details['loc'][-1]}: {details['msg']}" for details in error.errors())
                return _failed(request, 422, said)
            except Exception:
                if not _is_browser(request):
                    raise
                logger.exception("%s %s failed", request.method, request.url.path)
                return _failed(
                    request, 500, f"{UNFORESEEN}. Who looks into it needs this: request {about().request_id}."
                )

        return handle_or_show


async def unknown_path(request: Request, error: Exception) -> Response:
    """A browser's own error page for an address that nothing answers; programs get a problem document."""
    if request.url.path.startswith("/api/") or not _is_browser(request):
        return await http_problem(request, error)
    return _failed(request, 404, f"nothing is at {request.url.path}: the menu above has the pages")


def _failed(request: Request, status: int, detail: str) -> HTMLResponse:
    title = HTTPStatus(status).phrase.capitalize()
    caller, path = getattr(request.state, "caller", None), request.url.path
    section = next(((one, name) for one, name, _ in PAGES if path == one or path.startswith(f"{one}/")), None)
    told = {"title": title, "detail": detail, "section": section, "ours": status >= 500}
    return page("failure.html", caller, here=path, status=status, **told)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _may(caller: Caller | None, needed: Permission) -> bool:
    return caller is not None and needed in caller.permissions
