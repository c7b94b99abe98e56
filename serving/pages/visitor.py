"""Who opens a page: by the cookie that signing in on a page sets, or as everywhere by a header."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from agent.errors import CopydeskError
from serving.access.caller import Caller
from serving.api.access import allowed
from serving.api.security_headers import over_tls
from serving.api.services import Services, services

_bearer = HTTPBearer(auto_error=False)


def cookie_name(request: Request) -> str:
    """Over TLS a name that browsers take from this very host only (RFC 6265bis, 4.1.3.2)."""
    return "__Host-copydesk-pages" if over_tls(request.scope) else "copydesk-pages"


async def visiting(
    request: Request,
    use: Annotated[Services, Depends(services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """Raises NotSignedIn, RateLimited and NotAllowed."""
    if credentials is not None:
        caller = await use.sign_in.caller(credentials.credentials)
    else:
        caller = await use.sign_in.reader(request.cookies.get(cookie_name(request), ""))
    request.state.caller = caller
    return await allowed(caller, request, use)


async def perhaps(request: Request, use: Annotated[Services, Depends(services)]) -> Caller | None:
    """Of a page that anybody may open: who has signed in, so that it can say where they may go."""
    try:
        return await use.sign_in.reader(request.cookies.get(cookie_name(request), ""))
    except CopydeskError:
        return None


Visitor = Annotated[Caller, Depends(visiting)]
Anybody = Annotated[Caller | None, Depends(perhaps)]
Use = Annotated[Services, Depends(services)]
