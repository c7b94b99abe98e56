"""A peer that speaks the API's wire format over real HTTP and answers as a test says, around the real pages."""

import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from agent.guideline import GuidelinePack
from agent.score import Band, Score
from serving.addin.place import Place, SigningIn
from serving.addin.routes import place
from serving.addin.routes import router as addin
from serving.api.feedback_schemas import DecidedOut, DecisionIn, FeedbackOut
from serving.feedback import Action, Reason, State
from serving.pages.routes import router as pages

JOB = "0190c0de-0000-7000-8000-000000000001"
LINKS = {"status": f"/api/v1/jobs/{JOB}/status", "result": f"/api/v1/jobs/{JOB}/result"}


@dataclass(frozen=True)
class Answer:
    """One response; RFC 9457 problems are JSON too."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        kind = "application/problem+json" if self.status >= 400 else "application/json"
        return JSONResponse(self.body, self.status, self.headers, media_type=kind)


PLACE = Place("https://copydesk.test", ("'self'",), SigningIn("none"))
ACCEPTED = Answer({"job_id": JOB, "status": "queued", "links": LINKS}, 202)
COMPLETED = Answer({"job_id": JOB, "status": "completed"})


def problem(status: int, title: str, detail: str, **headers: str) -> Answer:
    body = {"type": "about:blank", "title": title, "detail": detail, "status": status}
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(frozen=True)
class Received:
    """A submission as it came in."""

    kind: str
    body: bytes
    key: str


@dataclass
class Script:
    """What the peer answers next. Of several answers the last one is repeated."""

    pack: GuidelinePack
    submit: list[Answer] = field(default_factory=lambda: [ACCEPTED])
    status: list[Answer] = field(default_factory=lambda: [COMPLETED])
    result: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    cancelled: bool = False
    decided: dict[str, dict[str, Any]] = field(default_factory=dict)  # the last decision about each finding
    score: tuple[Score, Band] | None = None  # that a decision is answered with; None: that of the result
    decide: Answer | None = None  # instead of keeping a decision
    figures: list[dict[str, Any]] | None = None  # None: the user may not see them
    place: Place = PLACE
    key: str = ""  # what one has to sign in with
    sessions: int = 0  # that were begun

    def sent(self) -> Any:
        """The last article, as it came in."""
        return json.loads(self.received[-1].body)

    @property
    def feedback(self) -> list[dict[str, Any]]:
        return list(self.decided.values())


def _next(answers: list[Answer]) -> Response:
    return (answers.pop(0) if len(answers) > 1 else answers[0]).response()


def scripted_app(script: Callable[[], Script]) -> FastAPI:
    app = FastAPI()
    app.include_router(addin)
    app.include_router(pages)
    app.dependency_overrides[place] = lambda: script().place
    _add_sign_in(app, script)
    _add_decisions(app, script)

    @app.post("/api/v1/compliance/check")
    async def submit(request: Request) -> Response:
        headers = request.headers
        script().received.append(Received(headers["content-type"], await request.body(), headers["idempotency-key"]))
        return _next(script().submit)

    @app.get(LINKS["status"])
    async def status() -> Response:
        return _next(script().status)

    @app.get(LINKS["result"])
    async def result() -> Response:
        return _next(script().result)

    @app.get("/api/v1/guidelines")
    async def guidelines() -> dict[str, Any]:
        pack = script().pack
        return {
            "pack": pack.name,
            "version": "3",
            "guidelines": [one.model_dump(mode="json") for one in pack.guidelines],
        }

    @app.get("/api/v1/guidelines/figures")
    async def figures() -> Response:
        known = script().figures
        if known is None:
            return problem(403, "Not allowed", "this needs the scope figures").response()
        return JSONResponse({"since": "2026-11-01T00:00:00Z", "figures": known})

    @app.delete(f"/api/v1/jobs/{JOB}")
    async def cancel() -> dict[str, str]:
        script().cancelled = True
        return {"job_id": JOB, "status": "cancelled"}

    return app


def _add_sign_in(app: FastAPI, script: Callable[[], Script]) -> None:
    @app.middleware("http")
    async def signed_in(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        needed = script().key and request.url.path.startswith("/api/")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if needed and token not in (script().key, f"session-{script().sessions}"):
            return problem(401, "Not signed in", "the token is of no kind that is accepted here").response()
        return await go_on(request)

    @app.post("/api/v1/session")
    async def session() -> dict[str, Any]:
        script().sessions += 1
        return {"token": f"session-{script().sessions}", "expires_in": 900}


def _add_decisions(app: FastAPI, script: Callable[[], Script]) -> None:
    @app.post(f"/api/v1/jobs/{JOB}/feedback")
    async def decide(request: Request) -> Response:
        if refusal := script().decide:
            return refusal.response()
        for one in map(DecisionIn.model_validate, await request.json()):
            script().decided[one.finding] = decided(
                one.finding,
                State.ACCEPTED if one.action is Action.ACCEPT else State.DISMISSED,
                one.reason,
                comment=one.comment,
            )
        return _decisions(script())

    @app.delete(f"/api/v1/jobs/{JOB}/feedback/{{finding}}")
    async def undecide(finding: str) -> Response:
        script().decided.pop(finding, None)
        return _decisions(script())


def decided(finding: str, state: State, reason: Reason | None, *, comment: str = "") -> dict[str, Any]:
    """What stands on a finding, as the service tells it."""
    told = DecidedOut(
        finding=finding,
        guideline="a-guideline",
        state=state,
        counts=state is not State.DISMISSED,
        reason=reason,
        comment=comment,
        by="ada",
        at=datetime(2026, 11, 27, tzinfo=UTC),
        job_id=JOB,
        approval=None,
    )
    return told.model_dump(mode="json")


def _decisions(script: Script) -> Response:
    report = script.result[-1].body["report"]
    score, band = script.score or (report["score"], report["band"])
    told = FeedbackOut(job_id=JOB, score=score, band=band, findings=0, etag='"1"', feedback=[])
    return JSONResponse(told.model_dump(mode="json") | {"feedback": script.feedback})


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Runs an app on a free loopback port; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        if not thread.is_alive():
            raise RuntimeError("the test server did not start")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
