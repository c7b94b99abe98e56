"""`/api/v1/session`: a short-lived token for a key or an Entra token, and its end."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response, status
from pydantic import BaseModel, Field

from agent.errors import CopydeskError
from serving.access.caller import Caller, Permission
from serving.access.sessions import Sessions
from serving.api.access import Who
from serving.api.given import Given
from serving.api.json_bodies import JsonRoute
from serving.api.services import Services, services

router = APIRouter(prefix="/api/v1/session", tags=["session"], route_class=JsonRoute)

Use = Annotated[Services, Depends(services)]


class NoSessions(CopydeskError):
    """This service gives out no sessions, or the credential is none."""

    type = "no-session"
    status = 409


class SessionIn(Given):
    """What the session is for; without `scopes`, all that the credential may do."""

    scopes: Annotated[frozenset[Permission], Field(fail_fast=True)] | None = None


class SessionOut(BaseModel):
    """Who asks, and what they may do until when."""

    user: str
    scopes: list[Permission]
    via: str  # none, entra, or key:ID
    expires: datetime | None = None  # null: not a session


class NewSessionOut(SessionOut):
    """`token` goes into `Authorization: Bearer`; get another before it expires."""

    token: str
    token_type: str = "Bearer"  # noqa: S105 - a scheme's name
    expires_in: int  # seconds


@router.post("", status_code=status.HTTP_201_CREATED)
async def begin_session(
    response: Response, use: Use, caller: Who, asked: Annotated[SessionIn | None, Body()] = None
) -> NewSessionOut:
    """A session for 15 minutes. A session's own token gets the next one, once, for ten hours after signing in."""
    now = use.clock()
    await use.sign_in.must_go_on(caller)
    minted = await _sessions(use).mint(caller, asked.scopes if asked else None, now)
    response.headers["Cache-Control"] = "no-store"
    made = minted.caller.session
    assert made is not None  # noqa: S101 - it was just made
    seconds = int((made.until - now).total_seconds())
    return NewSessionOut(**_described(minted.caller).model_dump(), token=minted.token, expires_in=seconds)


@router.get("")
async def show_session(response: Response, caller: Who) -> SessionOut:
    """Who you are here, and what you may do."""
    response.headers["Cache-Control"] = "no-store"
    return _described(caller)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def end_session(use: Use, caller: Who) -> None:
    """Ends the session whose token is sent: no request is accepted with it any more."""
    if caller.session is None:
        raise NoSessions("the request carries no session token, so there is no session to end")
    await _sessions(use).end(caller.session, use.clock())


def _sessions(use: Services) -> Sessions:
    sessions = use.sign_in.sessions
    if sessions is None:
        why = "set JWT_SECRET_KEY for them" if use.sign_in.required else "there is no sign-in, and none is needed"
        raise NoSessions(f"this service gives out no sessions: {why}")
    return sessions


def _described(caller: Caller) -> SessionOut:
    until = caller.session.until if caller.session else None
    return SessionOut(user=caller.user, scopes=sorted(caller.permissions), via=caller.via, expires=until)
