"""Who may ask what: one rule for every route, and the credential of a request."""

from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serving.access.caller import Caller, NotAllowed, Permission
from serving.access.scrapers import must_scrape
from serving.api.rate_limit import limited
from serving.api.services import Services, services
from serving.together import together


class Anyone(StrEnum):
    OPEN = "anyone"  # nothing of a user or an article is told
    SIGNED_IN = "whoever has signed in"
    SCRAPER = "whoever has the token for metrics"
    REGISTRY = "MLflow, by the signature of its webhook"


Rule = Permission | Anyone

RULES: dict[str, Rule] = {
    "GET /": Anyone.OPEN,
    "GET /static/{digest}/{name}": Anyone.OPEN,
    "GET /addin/taskpane.html": Anyone.OPEN,
    "GET /addin/help.html": Anyone.OPEN,
    "GET /addin/settings.json": Anyone.OPEN,
    "GET /addin/manifest.xml": Anyone.OPEN,
    "GET /addin/manifest.zip": Anyone.OPEN,
    "GET /addin/icons/{name}": Anyone.OPEN,
    "GET /runs": Permission.FIGURES,
    "GET /runs.csv": Permission.FIGURES,
    "GET /runs.json": Permission.FIGURES,
    "GET /guidelines": Anyone.SIGNED_IN,
    "GET /guidelines/{id}": Anyone.SIGNED_IN,
    "GET /promotions": Anyone.SIGNED_IN,
    "GET /status": Anyone.OPEN,
    "GET /status.json": Anyone.OPEN,
    "GET /admin": Permission.ADMINISTER,
    "GET /sign-in": Anyone.OPEN,
    "POST /sign-in": Anyone.OPEN,
    "POST /sign-out": Anyone.OPEN,
    "GET /healthz": Anyone.OPEN,
    "GET /readyz": Anyone.OPEN,
    "GET /metrics": Anyone.SCRAPER,
    "GET /openapi.json": Anyone.OPEN,
    "HEAD /openapi.json": Anyone.OPEN,
    "POST /api/v1/registry/webhook": Anyone.REGISTRY,
    "POST /api/v1/session": Anyone.SIGNED_IN,
    "GET /api/v1/session": Anyone.SIGNED_IN,
    "DELETE /api/v1/session": Anyone.SIGNED_IN,
    "GET /api/v1/guidelines": Anyone.SIGNED_IN,
    "GET /api/v1/versions": Anyone.SIGNED_IN,
    "POST /api/v1/compliance/check": Permission.CHECK,
    "POST /api/v1/compliance/batches": Permission.CHECK,
    "GET /api/v1/compliance/batches": Permission.CHECK,
    "GET /api/v1/compliance/batches/{batch_id}": Permission.CHECK,
    "GET /api/v1/compliance/batches/{batch_id}/jobs": Permission.CHECK,
    "DELETE /api/v1/compliance/batches/{batch_id}": Permission.CHECK,
    "GET /api/v1/jobs": Permission.CHECK,
    "GET /api/v1/jobs/{job_id}/status": Permission.CHECK,
    "GET /api/v1/jobs/{job_id}/result": Permission.CHECK,
    "GET /api/v1/jobs/{job_id}/events": Permission.CHECK,
    "DELETE /api/v1/jobs/{job_id}": Permission.CHECK,
    "POST /api/v1/jobs/{job_id}/feedback": Permission.CHECK,
    "GET /api/v1/jobs/{job_id}/feedback": Permission.CHECK,
    "DELETE /api/v1/jobs/{job_id}/feedback/{finding}": Permission.CHECK,
    "GET /api/v1/jobs/{job_id}/findings/{finding}/why": Permission.CHECK,
    "GET /api/v1/guidelines/figures": Permission.FIGURES,
    "GET /api/v1/dismissals": Permission.APPROVE,
    "POST /api/v1/dismissals/{id}/approve": Permission.APPROVE,
    "POST /api/v1/dismissals/{id}/decline": Permission.APPROVE,
    "GET /jobs/{job_id}/status": Permission.CHECK,
    "GET /jobs/{job_id}/result": Permission.CHECK,
    "GET /api/v1/admin/audit": Permission.ADMINISTER,
    "GET /api/v1/admin/jobs/dead": Permission.ADMINISTER,
    "POST /api/v1/admin/jobs/{job_id}/requeue": Permission.ADMINISTER,
    "DELETE /api/v1/admin/jobs/{job_id}/cache": Permission.ADMINISTER,
    "GET /api/v1/admin/drain": Permission.ADMINISTER,
    "PUT /api/v1/admin/drain": Permission.ADMINISTER,
    "DELETE /api/v1/admin/drain": Permission.ADMINISTER,
}

_bearer = HTTPBearer(auto_error=False, description="A session token, an API key, or an Entra access token.")


async def admitted(
    request: Request,
    use: Annotated[Services, Depends(services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """Whoever asks, signed in, counted and allowed to; raises NotSignedIn, RateLimited and NotAllowed."""
    caller = await use.sign_in.claimed(credentials.credentials if credentials else "")
    await together(use.sign_in.confirm(caller), allowed(caller, request, use))
    return caller


async def claimed(request: Request, use: Services) -> Caller:
    """Whoever asks, where FastAPI isn't asked: to be confirmed, counted and held to a rule; raises NotSignedIn."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return await use.sign_in.claimed(token.strip() if scheme.lower() == "bearer" else "")


async def allowed(caller: Caller, request: Request, use: Services) -> Caller:
    """Counts a request of somebody who has signed in, and holds them to its rule; raises as above."""
    await limited(use, caller.user, request)
    route = f"{request.method} {request.scope['route'].path}"
    rule = RULES.get(route)
    if rule is None:  # a test sees to it that there is one
        raise NotAllowed(f"nobody has said who may ask {route}")
    if isinstance(rule, Permission):
        caller.must(rule)
    return caller


async def scraping(
    use: Annotated[Services, Depends(services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> None:
    """Raises NotSignedIn. The token is no key of the database's: metrics are read most when that is down."""
    given = credentials.credentials if credentials else ""
    must_scrape(use.sign_in.metrics_token, given, sign_in=use.sign_in.required)


Who = Annotated[Caller, Depends(admitted)]
