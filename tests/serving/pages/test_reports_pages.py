"""What the pages say, against figures worked out by hand, on SQLite and PostgreSQL."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from agent.check import Usage
from agent.finding import Severity
from agent.spec import ModelSpec
from registry.statement import Kind
from serving.access.caller import Role
from serving.adapters.stores import WorkerStores
from serving.app import utc_now
from serving.evidence import Figure, GuidelineEvidence
from serving.feedback import Action, Reason
from serving.settings import ServingSettings
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.api.test_access import key_of
from tests.serving.conftest import api_client
from tests.serving.pages.seeding import Seed, evidence

HTML = {"Accept": "text/html"}
DAY = timedelta(days=1)
PACK = pack(guideline("plain", title="Use plain words"), prompt_guideline("claims", title="Attribute claims"))
FIGURES = (
    GuidelineEvidence(
        guideline="plain",
        labelled=40,
        recall=Figure(value=0.9, low=0.77, high=0.96),
        precision=Figure(value=0.8, low=0.66, high=0.89),
        false_alarms=Figure(value=0.25, low=0.1, high=0.4),
    ),
)


class Tables(HTMLParser):
    """The tables of a page, as rows of texts by their ids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self._rows = self.found.setdefault(dict(attrs)["id"].removeprefix("table-"), [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        self._inside = tag in ("td", "th") or (self._inside and tag in ("a", "code"))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._rows[-1][-1] += data


def tables(response: httpx.Response) -> dict[str, list[list[str]]]:
    assert response.status_code == 200, response.text
    return Tables(response.text).found


@pytest.fixture
async def seed(stores: WorkerStores) -> Seed:
    return Seed(stores, PACK, utc_now())


@pytest.fixture
async def browser(settings: ServingSettings) -> AsyncIterator[httpx.AsyncClient]:
    linked = settings.model_copy(update={"mlflow_public_url": "https://mlflow.example/"})
    async with api_client(linked) as client:
        client.headers["Accept"] = "text/html"
        yield client


async def two_versions(seed: Seed, reader: str = "local") -> None:
    """Version 1 raises plain 1 and 3 times in 1,000 words, version 2 never and once."""
    await seed.served(1, evidence=evidence(1, kind=Kind.FORCED, at=seed.now - 9 * DAY, reason="it was urgent"))
    await seed.served(2, champion=True, evidence=evidence(2, previous=1, at=seed.now - 5 * DAY, figures=FIGURES))
    usage = Usage(calls=2, input_tokens=900, output_tokens=40, cost=0.5)
    for document, user, before, after in (("x", reader, 1, 0), ("y", "ada", 3, 1)):
        facts: dict[str, Any] = {"document_id": f"city/{document}", "title": f"Title {document}", "user": user}
        await seed.checked(
            {"plain": before, "claims": 1},
            at=seed.now - 8 * DAY,
            version="1",
            run=f"run1{document}",
            usage=usage,
            **facts,
        )
        await seed.checked(
            {"plain": after, "claims": 1},
            at=seed.now - 4 * DAY,
            version="2",
            run=f"run2{document}",
            usage=usage.model_copy(update={"cost": 0.4}),
            **facts,
        )


async def test_runs_compares_the_champion_with_the_one_before(seed: Seed, browser: httpx.AsyncClient) -> None:
    await two_versions(seed)
    page = await browser.get("/runs")
    found = tables(page)
    assert found["guidelines"][1] == [
        "Use plain words",
        "plain",
        "2",
        "4",
        "2.00 (0.75 to 5.33)",
        "2",
        "1",
        "0.50 (0.07 to 3.55)",
        found["guidelines"][1][8],
        "alike",
        "–",
        "100 % (34 to 100)",
        "50 % (9 to 91)",
    ]
    assert found["guidelines"][1][8].startswith("−1.50 (")
    assert found["guidelines"][2][:8] == [
        "Attribute claims", "claims", "2", "2", "1.00 (0.25 to 4.00)", "2", "2", "1.00 (0.25 to 4.00)",
    ]  # fmt: skip
    assert "None of 2 guidelines differs between A and B" in page.text
    assert page.text.count('class="chart wide"') == 2


async def test_words_are_shown_of_one_s_own_articles_only(seed: Seed, browser: httpx.AsyncClient) -> None:
    await two_versions(seed)
    page = await browser.get("/runs")
    own, other = sorted(tables(page)["changes"][1:], reverse=True, key=lambda row: row[0].startswith("Title"))
    assert (own[0], own[1], own[2], own[4]) == ("Title x", "1", "0", "–")
    assert re.fullmatch(r"Use plain words: “\w+”", own[3])
    assert re.fullmatch(r"Article [0-9a-f]{8}", other[0])
    assert other[1:4] == ["2", "0", "Use plain words ×2"]
    assert "Title y" not in page.text
    assert "ada" not in page.text
    for address in ("/runs.json", "/runs.csv?table=changes"):
        assert "Title y" not in (await browser.get(address)).text


async def test_runs_lead_into_mlflow(seed: Seed, browser: httpx.AsyncClient) -> None:
    await two_versions(seed)
    assert 'href="https://mlflow.example/#/runs/run1x">run1x</a>' in (await browser.get("/runs")).text


async def test_without_mlflow_s_address_runs_are_told_by_id(seed: Seed, settings: ServingSettings) -> None:
    await two_versions(seed)
    async with api_client(settings) as client:
        page = await client.get("/runs", headers=HTML)
    assert "run1x" in page.text
    assert "#/runs/" not in page.text


async def test_a_forced_version_is_loud_beside_its_figures(seed: Seed, browser: httpx.AsyncClient) -> None:
    await two_versions(seed)
    page = await browser.get("/runs?a_version=1&b_version=2")
    assert "Forced: no gate said that it may serve." in page.text
    assert "it was urgent" in page.text
    assert "gate: PROMOTE against version 1 on house, test" in page.text
    assert tables(page)["gate"][1] == [
        "Use plain words", "plain", "–", "–", "–", "40", "90 % (77 to 96)", "80 % (66 to 89)",
    ]  # fmt: skip


async def test_cost_and_time_are_those_of_the_reports(seed: Seed, browser: httpx.AsyncClient) -> None:
    await two_versions(seed)
    rows = {row[0]: row[2:] for row in tables(await browser.get("/runs"))["effort"][1:]}
    assert rows["Articles"] == ["2", "2", "–"]
    assert rows["Model cost of an article, mean"] == ["0.50", "0.40", "−20 %"]
    assert rows["Tokens read by the model, mean"] == ["900", "900", "0 %"]
    assert rows["From submitted to finished, median"] == ["1.30", "1.30", "0 %"]


@pytest.mark.parametrize("query", ["", "?documents=city%2Fx", "?guideline=claims"])
async def test_csv_and_json_have_the_rows_of_the_page(seed: Seed, browser: httpx.AsyncClient, query: str) -> None:
    await two_versions(seed)
    page = tables(await browser.get(f"/runs{query}"))
    body = (await browser.get(f"/runs.json{query}")).json()
    for name in ("guidelines", "scores", "effort", "changes", "gate", "rulings"):
        sent = await browser.get(
            "/runs.csv", params={**dict(httpx.QueryParams(query.removeprefix("?"))), "table": name}
        )
        assert sent.headers["content-type"] == "text/csv; charset=utf-8"
        lines = list(csv.DictReader(io.StringIO(sent.text)))
        records = body[name]
        assert [{key: "" if v is None else str(v) for key, v in one.items()} for one in records] == lines
        assert len(page.get(name, [None])) == len(records) + 1
    for shown, one in zip(page["guidelines"][1:], body["guidelines"], strict=True):
        assert shown[:4] == [one["guideline"], one["id"], str(one["a_documents"]), str(one["a_findings"])]
        assert shown[4] == f"{one['a_rate']:.2f}" + (
            f" ({one['a_rate_low']:.2f} to {one['a_rate_high']:.2f})" if one["a_rate_low"] is not None else ""
        )


async def test_with_one_version_two_fortnights_are_compared(seed: Seed, browser: httpx.AsyncClient) -> None:
    await seed.served(1, champion=True)
    await seed.checked({"plain": 2}, at=seed.now - 20 * DAY, document_id="a")
    await seed.checked({"plain": 4}, at=seed.now - 2 * DAY, document_id="a")
    page = await browser.get("/runs")
    assert page.text.count("Every version, ") == 2
    assert tables(page)["guidelines"][1][2:5:2] == ["1", "2.00"]
    assert "2 articles" not in page.text


async def test_what_was_edited_meanwhile_is_not_called_the_version_s_doing(
    seed: Seed, browser: httpx.AsyncClient
) -> None:
    await seed.checked({"plain": 2}, at=seed.now - DAY, version="1", document_id="a")
    await seed.checked({"plain": 4}, at=seed.now - DAY, version="2", document_id="a", words=900)
    page = await browser.get("/runs?a_version=1&b_version=2")
    assert "1 more was edited between the checks" in page.text
    assert "changes" not in tables(page)


async def test_a_side_without_articles_is_not_called_alike(seed: Seed, browser: httpx.AsyncClient) -> None:
    await seed.checked({"plain": 2}, at=seed.now - DAY, version="2")
    page = (await browser.get("/runs?a_version=1&b_version=2")).text
    assert "There is nothing to compare: side A has no article." in page
    assert "differs between" not in page
    assert "B, alike" not in page
    assert "No article was checked on both sides with the same text." in page


async def test_nothing_checked_says_what_to_do(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/runs")
    assert "No article was checked whole on either side." in page.text
    assert 'href="/">Check an article</a>' in page.text
    narrowed = await browser.get("/runs?channel=fax")
    assert 'href="/runs">Take the narrowing away</a>' in narrowed.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("a_from=yesterday", "A from is &#39;yesterday&#39;: write a day as 2026-11-23"),
        ("b_from=2026-11-05&b_to=2026-11-01", "side B ends before it begins"),
    ],
)
async def test_a_wrong_question_is_answered_in_words(browser: httpx.AsyncClient, query: str, said: str) -> None:
    page = await browser.get(f"/runs?{query}")
    assert page.status_code == 400
    assert said in page.text
    problem = await browser.get(f"/runs.json?{query}", headers={"Accept": "application/json"})
    assert (problem.status_code, problem.json()["type"]) == (400, "bad-request")


async def test_a_guideline_tells_how_it_fares(seed: Seed, browser: httpx.AsyncClient) -> None:
    await seed.served(2, champion=True, evidence=evidence(2, previous=1, at=seed.now, figures=FIGURES))
    job = await seed.checked({"plain": 5}, at=seed.now - DAY, version="2")
    ids = list(await seed.stores.feedback.findings(job.id))
    said = {
        ids[0]: (Action.ACCEPT, None),
        ids[1]: (Action.ACCEPT, None),
        ids[2]: (Action.ACCEPT, None),
        ids[3]: (Action.DISMISS, Reason.FALSE_ALARM),
    }
    await seed.decided(job, said, seed.now)
    found = tables(await browser.get("/guidelines/plain"))
    assert found["fared"][1] == ["2", "5", "3", "1", "1", "0", "0", "75 % (30 to 95)"]
    assert found["reasons"][1] == ["False alarm", "1", "100 %"]
    assert found["measured"][1] == [
        "2",
        "house, test",
        "40",
        "90 % (77 to 96)",
        "80 % (66 to 89)",
        "0.25 (0.10 to 0.40)",
    ]
    assert found["versions"][1][:3] == ["2", "now", PACK.by_id["plain"].digest[:12]]
    listed = tables(await browser.get("/guidelines"))["guidelines"]
    listed = tables(await browser.get("/guidelines"))["guidelines"]
    row = next(row for row in listed if row[0] == "Use plain words")
    assert row[-4:] == ["5", "3", "1", "75 % (30 to 95)"]


@pytest.mark.parametrize(
    ("model", "briefly", "checked_by"),
    [
        (ModelSpec(deployment="gpt-test"), "model", "language model"),
        (None, "patterns, no model", "patterns, for want of a model"),
    ],
)
async def test_what_a_model_checks_is_told_by_whether_there_is_one(
    stores: WorkerStores, browser: httpx.AsyncClient, model: ModelSpec | None, briefly: str, checked_by: str
) -> None:
    await Seed(stores, pack(prompt_guideline("asked")), utc_now(), model=model).served(1, champion=True)
    assert tables(await browser.get("/guidelines"))["guidelines"][1][3] == briefly
    assert f"checked by: {checked_by}" in (await browser.get("/guidelines/asked")).text


async def test_a_guideline_that_nobody_has_is_not_found(seed: Seed, browser: httpx.AsyncClient) -> None:
    await seed.served(1, champion=True)
    page = await browser.get("/guidelines/%3Cscript%3Ealert(1)")
    assert page.status_code == 404
    assert "no version that was served has a guideline &#39;&lt;script&gt;alert(1)&#39;" in page.text


async def test_promotions_are_a_timeline_with_the_forced_one_loud(seed: Seed, browser: httpx.AsyncClient) -> None:
    await two_versions(seed)
    await seed.served(3)
    await seed.served(4, evidence=evidence(4, previous=2, at=seed.now).model_copy(update={"promotion": None}))
    page = (await browser.get("/promotions")).text
    latest, first = page.index("Version 1 to version 2"), page.index('<li class="forced loud">')
    assert latest < first
    assert "Reason</dt><dd>it was urgent" in page
    assert "tom.okafor" in page
    assert "Of version 3 no worker has told what it was promoted with." in page
    assert "Version 4 served by its decision alone, a share of the articles in a rollout" in page


async def test_status_tells_the_day(seed: Seed, browser: httpx.AsyncClient) -> None:
    await seed.served(2, champion=True, evidence=evidence(2, previous=1, at=seed.now))
    await seed.checked({}, at=utc_now() - DAY / 4, seconds=2)
    await seed.checked({}, at=utc_now() - DAY / 3, seconds=4, failed="claims")
    page = await browser.get("/status")
    assert "Articles are checked." in page.text
    assert tables(page)["ended"][1:3] == [["Checked whole", "1", "50 %"], ["Checked in part", "1", "50 %"]]
    body = (await browser.get("/status.json")).json()
    assert (body["state"], body["version"], body["day"]["jobs"]) == ("ok", "2", 2)
    assert body["day"]["ended"] == {"completed": 1, "partial": 1, "failed": 0, "cancelled": 0}
    assert sum(hour["jobs"] for hour in body["day"]["hours"]) == 2
    assert body["day"]["turnaround_seconds"] == pytest.approx(2.3)


async def test_status_says_what_stands_still(seed: Seed, browser: httpx.AsyncClient) -> None:
    assert "Articles can’t be checked at present." in (await browser.get("/status")).text
    await seed.served(1, champion=True)


async def test_admin_shows_with_the_command_beside(seed: Seed, browser: httpx.AsyncClient) -> None:
    job = await seed.job(at=seed.now - DAY, document_id="city/1")
    await seed.stores.leases.retry(job, seed.now, "no answer", pause=timedelta(0), max_attempts=1)
    await key_of(seed.stores.database, Role.ANALYST)
    found = tables(await browser.get("/admin"))
    assert found["dead"][1][-2] == "given up after 1 attempt: no answer"
    assert f"curl -X POST http://localhost/api/v1/admin/jobs/{job.id}/requeue" in found["dead"][1][-1]
    assert found["keys"][1][1:5] == ["test", "analyst", "figures", "good"]
    assert re.fullmatch(r"copydesk keys revoke [0-9a-f]{12}", found["keys"][1][-1])


async def test_articles_of_a_release_that_no_worker_runs_are_seen_on_status_and_admin(
    seed: Seed, browser: httpx.AsyncClient
) -> None:
    await seed.served(2, champion=True)
    job = await seed.job(at=seed.now)
    await seed.stores.leases.hand_back(job, "its worker was told to stop")
    for address in ("/status", "/admin"):
        assert "1 article waits for a release that no worker runs" in (await browser.get(address)).text
    assert (await browser.get("/status.json")).json()["queue"]["stranded"] == 1
    await seed.stores.jobs.cancel(job.id, seed.now)
    for address in ("/status", "/admin"):
        assert "for a release that no worker runs" not in (await browser.get(address)).text


async def test_admin_says_how_many_more_were_given_up(
    seed: Seed, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.pages.admin.MOST_DEAD", 2)
    for given_up in (2, 3):
        while await seed.stores.jobs.count_dead() < given_up:
            job = await seed.job(at=seed.now - DAY)
            await seed.stores.leases.retry(job, seed.now, "no answer", pause=timedelta(0), max_attempts=1)
        page = await browser.get("/admin")
        assert len(tables(page)["dead"]) == 1 + 2
        assert ("The latest 2 of 3 are shown" in page.text) == (given_up == 3)


async def test_a_drain_is_seen_on_status_and_admin(seed: Seed, browser: httpx.AsyncClient) -> None:
    await seed.served(1, champion=True)
    await browser.put("/api/v1/admin/drain", json={"reason": "a new release"})
    for address in ("/status", "/admin"):
        assert "a new release" in (await browser.get(address)).text
    assert "curl -X DELETE http://localhost/api/v1/admin/drain" in (await browser.get("/admin")).text
    assert tables(await browser.get("/admin"))["audit"][1][3:6] == ["drain.begin", "drain", "a new release"]


PAGES = ("/runs", "/guidelines", "/guidelines/plain", "/promotions", "/status", "/admin", "/sign-in")


async def test_pages_run_nothing_and_are_kept_nowhere(seed: Seed, browser: httpx.AsyncClient) -> None:
    await two_versions(seed)
    for address in PAGES:
        page = await browser.get(address)
        assert page.headers["content-security-policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page.text)


async def test_a_command_in_a_reason_is_set_as_one(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/status")).text
    assert "run <code>copydesk register</code> and <code>copydesk promote</code>, and start a worker" in page
    assert "`" not in page


async def test_an_empty_page_sets_its_commands_as_such(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/guidelines")).text
    assert "run <code>copydesk register</code> and <code>copydesk promote</code>" in page


async def test_guidelines_stand_by_category_the_gravest_first(stores: WorkerStores, browser: httpx.AsyncClient) -> None:
    several = pack(
        guideline("a", title="A", category="style", severity=Severity.ADVICE),
        guideline("b", title="B", category="style", severity=Severity.BREACH),
        guideline("c", title="C", category="legal", severity=Severity.ADVICE),
    )
    await Seed(stores, several, utc_now()).served(1, champion=True)
    listed = tables(await browser.get("/guidelines"))["guidelines"][1:]
    assert [row[0] for row in listed] == ["C", "B", "A"]
