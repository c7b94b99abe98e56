"""`/sign-in` and `/sign-out`: a browser sends no header by itself, so pages take a cookie.

The cookie's token reads pages and nothing else: it is made for another audience than the API's, which refuses it, and
the API reads no cookies. So no other site can have a browser change anything with it.
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from serving.access.api_keys import looks_like_key
from serving.access.caller import NotSignedIn
from serving.access.sessions import PAGES_LIFE
from serving.api.security_headers import over_tls
from serving.pages.layout import PAGES, PageRoute, page
from serving.pages.visitor import Use, cookie_name

FIRST = "/runs"

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/sign-in")
async def show_sign_in(use: Use, next: Annotated[str, Query(max_length=2000)] = FIRST) -> Response:
    return _form(use, next)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    use: Use,
    key: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[str, Form(max_length=2000)] = FIRST,
) -> Response:
    """Takes an API key, never keeps it, and sets the cookie."""
    sessions = use.sign_in.page_sessions
    if sessions is None:
        return _form(use, next)
    given = key.strip()
    if not looks_like_key(given):
        problem = "This is no API key: one begins with cdk_, and `copydesk keys create` prints it."
        return _form(use, next, problem=problem, status=401)
    try:
        made = await sessions.mint(await use.sign_in.caller(given), None, use.clock())
    except NotSignedIn as error:
        return _form(use, next, problem=str(error), status=401)
    answer = RedirectResponse(_ours(next), 303, {"Cache-Control": "no-store"})
    answer.set_cookie(
        cookie_name(request),
        made.token,
        max_age=int(PAGES_LIFE.total_seconds()),
        path="/",
        secure=over_tls(request.scope),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, use: Use) -> Response:
    """Ends the session, too: a copy of the cookie is of no use."""
    name = cookie_name(request)
    try:
        caller = await use.sign_in.reader(request.cookies.get(name, ""))
    except NotSignedIn:
        caller = None
    if caller is not None and caller.session is not None and use.sign_in.page_sessions is not None:
        await use.sign_in.page_sessions.end(caller.session, use.clock())
    answer = RedirectResponse("/sign-in", 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(name, path="/", secure=over_tls(request.scope), httponly=True, samesite="strict")
    return answer


def _form(use: Use, next: str, *, problem: str = "", status: int = 200) -> Response:
    sign_in = use.sign_in
    return page(
        "sign-in.html",
        None,
        here="/sign-in",
        status=status,
        next=_ours(next),
        problem=problem,
        required=sign_in.required,
        possible=sign_in.page_sessions is not None,
    )


def _ours(next: str) -> str:
    """A page of this service, whatever is asked for: nobody is sent elsewhere."""
    path = urlsplit(next).path
    known = any(path in (one, f"{one}.csv", f"{one}.json") or path.startswith(f"{one}/") for one, _, _ in PAGES)
    return next if known and next.startswith("/") and not next.startswith(("//", "/\\")) else FIRST
