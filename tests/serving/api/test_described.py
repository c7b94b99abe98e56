"""What the API's description says is what it does, whatever is sent: 5,000 requests made from it, over HTTP."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, Response
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from agent.stored_article import dump_article
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import open_worker_stores
from serving.api.problems import MEDIA_TYPE
from serving.app import create_app, utc_now
from serving.feedback import Action, Decision, Dismissals, Reason, Saying
from serving.job import JobStatus
from serving.settings import ServingSettings
from tests.serving.adapters.test_sql_batches import batch_submission
from tests.serving.build import TEXT, claim, report, served, story, submission
from tests.serving.conftest import OPEN
from tests.waiting import eventually

EACH = 250  # requests made up for one operation; fewer where there aren't so many different ones
DONE = "d" * 32  # a job that has ended, for half of the requests about a job
BATCH = "b" * 32
FINDING = next(each.fingerprint for each in asyncio.run(report(story())).findings if each.guideline == "plain-words")
LEAST = 5000
NO_SUCCESS = {  # without sign-in, workers, a job that waits or was given up, and MLflow's signature
    "POST /api/v1/registry/webhook",
    "POST /api/v1/session",
    "DELETE /api/v1/session",
    "DELETE /api/v1/jobs/{job_id}",
    "POST /api/v1/admin/jobs/{job_id}/requeue",
    "GET /readyz",
}
SCHEMA = schemathesis.openapi.from_dict(create_app(ServingSettings(), OPEN).openapi())
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass
class Running:
    url: str
    sent: int = 0
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)


async def fill(serving: ServingSettings) -> None:
    """A champion and a job that has ended."""
    async with open_worker_stores(serving, utc_now) as stores:
        await SqlServedVersions(stores.database).put(served(at=utc_now()))
        blob = await FolderBlobs(serving.articles).put(dump_article(story()))
        sent = submission(DONE, blob=blob, submitted=utc_now())
        of_local = replace(sent.job, request=replace(sent.job.request, user="local"))
        await stores.jobs.add(replace(sent, job=of_local))
        running = await claim(stores, utc_now())
        await stores.batches.add(batch_submission(BATCH, count=1, user="local"))
        done = await stores.leases.finish(running.ended_as(JobStatus.COMPLETED, utc_now()), await report(story()))
        assert done
        guidelines = await stores.feedback.findings(DONE)
        waits = [Decision(id, Action.DISMISS, Reason.OTHER) for id in guidelines if id != FINDING]
        await stores.feedback.decide(Saying(done, guidelines, waits, utc_now(), Dismissals.APPROVAL))


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    home = tmp_path / "home"
    serving = ServingSettings(
        home=home,
        user_requests_per_minute=1_000_000,
        queue_limit=1_000_000,
        batch_queue_limit=1_000_000,
        registry_webhook_secret="s" * 32,
    )
    asyncio.run(fill(serving))
    server = uvicorn.Server(uvicorn.Config(create_app(serving, OPEN), log_level="warning", access_log=False))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        eventually("the API answers", lambda: server.started)
        running = Running(f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield running
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def no_failure_of_ours(_: object, response: Response, __: Case[Any]) -> None:
    """Only an outage that is anticipated, and says when to come again."""
    if response.status_code >= 500:
        assert response.status_code == 503, response.text
        assert response.headers.get("retry-after"), response.headers


def problems_are_documents(_: object, response: Response, __: Case[Any]) -> None:
    if response.status_code >= 400:
        assert response.headers["content-type"] == [MEDIA_TYPE], response.headers
        body = response.json()
        assert set(body) - {"dependencies"} == {"type", "title", "status", "detail", "request_id"}
        assert (body["status"], bool(body["type"]), bool(body["detail"])) == (response.status_code, True, True)


def make_sense(case: Case[Any]) -> None:
    """What is made up names no job, no file and hardly ever one form of an article: half of them get that right."""
    for name, known in (("job_id", DONE), ("batch_id", BATCH), ("finding", FINDING), ("id", 1)):
        if name in case.path_parameters:
            case.path_parameters[name] = known
    body: Any = case.body
    for decision in body if isinstance(body, list) else [body]:
        if isinstance(decision, dict) and "finding" in decision:
            decision["finding"] = FINDING
    if not isinstance(body, dict):
        return
    for part in (body, *(each for each in body.get("articles") or () if isinstance(each, dict))):
        if isinstance(article := part.get("article"), dict):
            article.pop("blob", None)  # it names no file
            forms = [form for form, text in article.items() if isinstance(text, str) and text.strip()]
            part["article"] = {forms[0]: article[forms[0]]} if forms else {"text": TEXT}
            body["guidelines"] = None


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_that_is_sent_makes_it_answer_otherwise(api: Running) -> None:
    for found in SCHEMA.get_all_operations():
        assert isinstance(found, Ok), found
        send_all(api, found.ok())
    assert api.sent >= LEAST
    done = {operation for operation, status in api.statuses if status < 300}
    assert {operation for operation, _ in api.statuses} - done - NO_SUCCESS == set()


def send_all(api: Running, operation: Any) -> None:
    @settings(
        max_examples=EACH,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Case[Any]) -> None:
        api.sent += 1
        if api.sent % 2:
            make_sense(case)
        response = case.call(base_url=api.url, timeout=30)
        api.statuses[case.operation.label, response.status_code] += 1
        case.validate_response(response, checks=[*CHECKS, no_failure_of_ours, problems_are_documents])

    send()
