from collections.abc import Awaitable, Callable

import httpx
import pytest

from agent.report import ComplianceReport
from agent.stored_article import load_article
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.job import Job, JobStatus
from serving.settings import ServingSettings
from tests.serving.build import TEXT, agent, submission
from tests.serving.build import claim as claim_job

Claim = Callable[[], Awaitable[Job]]


async def submitted(client: httpx.AsyncClient, **fields: object) -> str:
    response = await client.post("/api/v1/compliance/check", json={"article": {"text": TEXT}} | fields)
    id: str = response.json()["job_id"]
    return id


@pytest.fixture
def claim(stores: Stores) -> Claim:
    async def claim() -> Job:
        return await claim_job(stores, utc_now())

    return claim


@pytest.fixture
def work(stores: Stores, settings: ServingSettings, claim: Claim) -> Callable[[], Awaitable[ComplianceReport]]:
    """Checks the next article the way a worker does."""

    async def work() -> ComplianceReport:
        job = await claim()
        article = load_article(await FolderBlobs(settings.articles).get(job.blob) or b"")
        report = await agent().check(article)
        await stores.leases.finish(job.ended_as(JobStatus.COMPLETED, utc_now()), report)
        return report

    return work


async def test_a_waiting_job_knows_its_place(client: httpx.AsyncClient) -> None:
    first, second = await submitted(client), await submitted(client, document_id="d2")
    status = (await client.get(f"/api/v1/jobs/{second}/status")).json()
    submitted_at = status.pop("submitted")
    assert submitted_at.endswith("Z")
    assert status == {
        "job_id": second,
        "status": "queued",
        "position": 2,
        "done": None,
        "total": None,
        "guideline": None,
        "checked": [],
        "reason": None,
        "version": "1",
        "document_id": "d2",
        "started": None,
        "finished": None,
        "links": {
            "status": f"/api/v1/jobs/{second}/status",
            "result": f"/api/v1/jobs/{second}/result",
            "events": f"/api/v1/jobs/{second}/events",
        },
    }
    assert (await client.get(f"/api/v1/jobs/{first}/status")).json()["position"] == 1


async def test_a_running_job_says_how_far_it_is(client: httpx.AsyncClient, stores: Stores, claim: Claim) -> None:
    id = await submitted(client)
    await stores.leases.progress(await claim(), ["plain-words"], 2)
    status = (await client.get(f"/api/v1/jobs/{id}/status")).json()
    assert [status[name] for name in ("status", "position", "done", "total", "guideline")] == [
        "running",
        None,
        1,
        2,
        "plain-words",
    ]


async def test_a_result_is_not_there_before_the_job_ends(client: httpx.AsyncClient) -> None:
    id = await submitted(client)
    response = await client.get(f"/api/v1/jobs/{id}/result")
    assert (response.status_code, response.json()["status"], response.headers["Retry-After"]) == (202, "queued", "1")


async def test_a_result_has_the_text_its_offsets_count_in(
    client: httpx.AsyncClient, work: Callable[[], Awaitable[ComplianceReport]]
) -> None:
    id = await submitted(client)
    report = await work()
    response = await client.get(f"/api/v1/jobs/{id}/result")
    result = response.json()
    assert (response.status_code, result["job_id"], result["text"]) == (200, id, TEXT)
    assert ComplianceReport.model_validate(result["report"]) == report
    assert [TEXT[p["start"] : p["end"]] for p in result["paragraphs"]] == TEXT.split("\n\n")
    assert [result["text"][f["start"] : f["end"]] for f in result["report"]["findings"]] == ["utilise", "experts say"]


@pytest.mark.parametrize("prefix", ["/jobs", "/api/v1/jobs"])
async def test_both_paths_answer_again_and_again(
    client: httpx.AsyncClient, work: Callable[[], Awaitable[ComplianceReport]], prefix: str
) -> None:
    id = await submitted(client)
    await work()
    answers = [(await client.get(f"{prefix}/{id}/result")).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert (await client.get(f"{prefix}/{id}/status")).json()["status"] == "completed"


async def test_a_failed_job_says_why_it_has_no_result(client: httpx.AsyncClient, stores: Stores, claim: Claim) -> None:
    id = await submitted(client)
    failed = (await claim()).ended_as(JobStatus.FAILED, utc_now(), reason="version '1' is gone")
    await stores.leases.finish(failed, None)
    response = await client.get(f"/api/v1/jobs/{id}/result")
    assert (response.status_code, response.json()["type"]) == (409, "no-result")
    assert response.json()["detail"] == f"job {id} is failed: version '1' is gone; submit the article again"
    assert (await client.get(f"/api/v1/jobs/{id}/status")).json()["reason"] == "version '1' is gone"


async def test_a_job_that_could_check_nothing_is_failed_though_it_left_a_report(
    client: httpx.AsyncClient, stores: Stores, claim: Claim
) -> None:
    id = await submitted(client)
    job = await claim()
    report = await agent().check(load_article(b'{"title":"","language":"en","paragraphs":[["We.","text",0,0]]}'))
    await stores.leases.finish(job.ended_as(JobStatus.FAILED, utc_now(), reason="no model"), report)
    response = await client.get(f"/api/v1/jobs/{id}/result")
    assert (response.status_code, response.json()["type"]) == (409, "no-result")


async def test_a_job_is_cancelled_once(client: httpx.AsyncClient, claim: Claim) -> None:
    running, waiting = await submitted(client), await submitted(client, document_id="d2")
    await claim()
    for id in (running, waiting):
        response = await client.delete(f"/api/v1/jobs/{id}")
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
        again = await client.delete(f"/api/v1/jobs/{id}")
        assert (again.status_code, again.json()["type"]) == (409, "job-ended")
        assert again.json()["detail"] == f"job {id} is cancelled and can't be cancelled any more"
        assert (await client.get(f"/api/v1/jobs/{id}/result")).json()["type"] == "no-result"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/jobs/nope/status"),
        ("GET", "/api/v1/jobs/nope/result"),
        ("DELETE", "/api/v1/jobs/nope"),
        ("GET", "/jobs/nope/status"),
        ("GET", "/api/v2/nope"),
    ],
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.json()["type"]) == (404, "not-found")
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_somebody_elses_job_is_not_found(client: httpx.AsyncClient, stores: Stores) -> None:
    await stores.jobs.add(submission("other"))
    assert (await client.get("/api/v1/jobs/other/status")).json()["type"] == "not-found"


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    response = await client.put("/api/v1/compliance/check")
    assert (response.status_code, response.json()["type"], response.headers["Allow"]) == (
        405,
        "method-not-allowed",
        "POST",
    )


async def test_a_status_is_not_kept_before_the_end_and_not_sent_twice_after_it(
    client: httpx.AsyncClient, work: Callable[[], Awaitable[ComplianceReport]]
) -> None:
    id = await submitted(client)
    waiting = await client.get(f"/api/v1/jobs/{id}/status")
    assert (waiting.headers["Cache-Control"], "X-Job-Terminal" in waiting.headers) == ("no-store", False)
    await work()
    for path, seconds in ((f"/api/v1/jobs/{id}/status", 300), (f"/api/v1/jobs/{id}/result", 900)):
        first = await client.get(path)
        assert first.headers["Cache-Control"] == f"private, max-age={seconds}"
        assert first.headers["X-Job-Terminal"] == "true"
        again = await client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


async def test_a_list_of_jobs_goes_on_where_a_page_ends(client: httpx.AsyncClient) -> None:
    ids = [await submitted(client, document_id=f"d{number}") for number in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get("/api/v1/jobs", params={"limit": 2, "cursor": cursor})).json()
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next"]
    assert seen == ids[::-1]


@pytest.mark.parametrize("cursor", ["nonsense", "AAAA", "é", "MjAyNg"])
async def test_a_cursor_of_another_list_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get("/api/v1/jobs", params={"cursor": cursor})
    assert (response.status_code, response.json()["type"]) == (400, "bad-request")
    assert cursor in response.json()["detail"]


async def test_an_equal_article_is_the_same_job(client: httpx.AsyncClient) -> None:
    first = await client.post("/api/v1/compliance/check", json={"article": {"text": TEXT}})
    again = await client.post("/api/v1/compliance/check", json={"article": {"text": TEXT}})
    assert (again.json()["job_id"], again.json()["duplicate"]) == (first.json()["job_id"], True)
