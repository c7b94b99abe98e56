"""The gate's rulings on the pages: decided by the gate, signed, promoted, taken by a worker, on both databases."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.check_cache import MemoryKeyValues
from agent.endpoint import Endpoint
from agent.guideline import GuidelinePack
from agent.settings import ModelSettings
from agent.spec import AgentSpec
from registry.aliases import promote, rollback
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from registry.versions import register
from serving.adapters.mlflow_versions import MlflowVersions
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import WorkerStores
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.agent.build import guideline, pack, prompt_guideline
from tests.embedded import with_mlflow
from tests.registry.decided import decide
from tests.serving.conftest import api_client
from tests.serving.decided import Fares, decision_json, evaluated
from tests.serving.pages.seeding import Seed
from tests.serving.pages.test_reports_pages import DAY, tables

BEFORE = pack(
    guideline("minors", title="Protect minors", severity="breach"),
    prompt_guideline("claims", title="Attribute claims"),
    guideline("plain", title="Use plain words"),
    guideline("kept", title="Keep as it is"),
)
AFTER = pack(*(one.model_copy(update={"guidance": "Anew."}) for one in BEFORE.guidelines))
CHANGED = {id: Fares(digest="2") for id in ("minors", "claims", "plain")}
FARES = CHANGED | {"minors": Fares(2, 0, "2"), "plain": Fares(60, 0, "2")}
FIRST = decision_json(None, evaluated("1", BEFORE, {"minors": Fares(12, 3)}))
SECOND = decision_json(evaluated("1", BEFORE, {}), evaluated("2", AFTER, FARES, seconds=1.1))


class House:
    """A registry, and the worker that tells a database of it."""

    def __init__(self, registry: Registry, stores: WorkerStores) -> None:
        self.registry = registry
        self.stores = stores
        self.seed = Seed(stores, BEFORE, utc_now())
        self._worker = MlflowVersions(
            self.registry, utc_now, endpoint=Endpoint(ModelSettings()), kept=MemoryKeyValues()
        )

    def decide(self, number: int, of: GuidelinePack, decision: str) -> str:
        """The run of the gate's decision about the pack."""
        register(self.registry, AgentSpec(pack=of))
        said = json.loads(decision)
        digests = {"policy": said["policy_digest"], "set_digest": said["set_digest"]}
        return decide(self.registry, number, said["outcome"], said=said, **digests).statement.run

    async def serve(self) -> None:
        """What a worker does every few seconds."""
        version = await self._worker.current()
        assert version
        await SqlServedVersions(self.stores.database).put(version)

    async def check(self) -> None:
        for place, version in enumerate(("1", "2")):
            counts = {one.id: 1 for one in BEFORE.guidelines}
            await self.seed.checked(counts, at=self.seed.now - (2 - place) * DAY, version=version, document_id="d")

    async def two_versions(self) -> str:
        """Version 1, the first champion, and version 2 that took its place; the run of the second decision."""
        self.decide(1, BEFORE, FIRST)
        promote(self.registry, 1, who="ada")
        await self.serve()
        run = self.decide(2, AFTER, SECOND)
        promote(self.registry, 2, who="ada")
        await self.serve()
        await self.check()
        return run


@pytest.fixture
def house(tmp_path: Path, stores: WorkerStores) -> House:
    return House(connect(RegistrySettings(home=with_mlflow(tmp_path / "mlflow"))), stores)


@pytest.fixture
async def browser(settings: ServingSettings) -> AsyncIterator[httpx.AsyncClient]:
    linked = settings.model_copy(update={"mlflow_public_url": "https://mlflow.example"})
    async with api_client(linked) as client:
        client.headers["Accept"] = "text/html"
        yield client


def claims(page: str) -> list[str]:
    """Each claim that a page lists, in words."""
    return [
        " ".join(unescape(re.sub(r"<[^>]+>", " ", listed)).split())
        for listed in re.findall(r"<li class=\"(?:worse|drop|open|held|)\">(.*?)</li>", page, re.DOTALL)
    ]


async def test_runs_tells_the_decision_between_its_versions(house: House, browser: httpx.AsyncClient) -> None:
    run = await house.two_versions()
    page = await browser.get("/runs")
    text = page.text
    assert "The gate said PROMOTE: version 2 against version 1" in text
    assert f'in MLflow <a href="https://mlflow.example/#/runs/{run}">{run[:8]}</a>' in text
    decision = text.partition('class="card decision"')[2].partition("<figure>")[0]
    assert "What carried it, the tightest first" in decision
    assert claims(decision)[0] == "p95 latency within the limit 1.10 times the champion’s, limit 1.25"
    recall = next(claim for claim in claims(decision) if claim.startswith("Protect minors: recall no worse"))
    assert re.fullmatch(r"\D+ −1\.7 points \(−\d\.\d to \+\d\.\d\) gained, margin 10\.0 points", recall)
    assert "1 more claim" not in decision
    assert re.search(r"<summary>\d+ more claims</summary>", decision)


async def test_the_ruling_stands_beside_the_dots_and_in_every_form(house: House, browser: httpx.AsyncClient) -> None:
    await house.two_versions()
    page = await browser.get("/runs")
    expected = {
        "minors": "no worse",
        "claims": "no worse",
        "plain": "recall worse, false alarms no worse",
        "kept": "unchanged: judges as before",
    }
    assert {row[1]: row[10] for row in tables(page)["guidelines"][1:]} == expected
    wide = page.text.partition('<svg class="chart wide"')[2].partition("</svg>")[0]
    assert re.findall(r'<text class="note (\w*)"[^>]*>([^<]+)<', wide) == [
        note
        for id in [row[1] for row in tables(page)["guidelines"][1:]]
        for note in {
            "plain": [("worse", "recall worse"), ("held", "false alarms no worse")],
            "kept": [("", "unchanged")],
        }.get(id, [("held", "no worse")])
    ]
    assert "Use plain words: A " in wide
    assert "recall worse, false alarms no worse" in wide.partition("<desc")[2].partition("</desc>")[0]
    body = (await browser.get("/runs.json")).json()
    assert {one["id"]: one["ruling"] for one in body["guidelines"]} == expected
    assert (body["decision"]["version"], body["decision"]["against"]) == ("2", "1")
    sent = csv.DictReader(io.StringIO((await browser.get("/runs.csv")).text))
    assert {one["id"]: one["ruling"] for one in sent} == expected


async def test_every_claim_is_a_row(house: House, browser: httpx.AsyncClient) -> None:
    await house.two_versions()
    listed = (await browser.get("/runs.json")).json()["rulings"]
    rows: dict[str, Any] = {one["claim"]: one for one in listed if one["version"] == "2"}
    plain = rows["Use plain words: recall"]
    assert (plain["id"], plain["tier"], plain["ruling"], plain["did"]) == ("plain", "advisory", "worse", "noted")
    assert (plain["estimate"], plain["limit"], plain["unit"]) == (-50.0, 10.0, "points of recall gained")
    assert plain["estimate_low"] < -50 < plain["estimate_high"] < -10
    assert (rows["p95 latency"]["did"], rows["p95 latency"]["estimate"]) == ("carried it", pytest.approx(1.1))
    assert rows["supporting, clarity: recall"]["did"] == "carried it"
    assert rows["Attribute claims: recall"]["did"] == "nothing"
    minors = [one for one in listed if (one["version"], one["claim"]) == ("2", "Protect minors: recall")]
    assert [(one["unit"], one["tier"]) for one in minors] == [
        ("points of recall gained", "critical"),
        ("% of the labelled violations", None),  # the floor
    ]
    first = [one["claim"] for one in listed if one["version"] == "1"]
    assert first == ["Protect minors: recall", "Protect minors: false alarms per 1,000 words"]
    page = tables(await browser.get("/runs"))["rulings"]
    sent = list(csv.DictReader(io.StringIO((await browser.get("/runs.csv?table=rulings")).text)))
    assert len(page) - 1 == len(listed) == len(sent)


UNRULED = {
    "a_version=2&b_version=2": "and here aren’t two",
    "a_version=1": "and here aren’t two",
    "a_version=7&b_version=2": "The gate held version 2 against version 1, not against version 7",
    "a_version=7&b_version=1": "Version 1 was the first champion: floors alone decided",
    "a_version=2&b_version=7": "No worker has told what version 7 was promoted with",
}


async def test_where_the_gate_held_other_versions_that_is_said(house: House, browser: httpx.AsyncClient) -> None:
    await house.two_versions()
    for query, said in UNRULED.items():
        page = await browser.get(f"/runs?{query}")
        assert said in page.text
        assert '<text class="note' not in page.text
        assert {row[10] for row in tables(page)["guidelines"][1:]} == {"–"}
        assert (await browser.get(f"/runs.json?{query}")).json()["decision"] is None
    swapped = await browser.get("/runs?a_version=2&b_version=1")
    assert "The gate said PROMOTE: version 2 against version 1" in swapped.text


async def test_promotions_fold_what_decided_each(house: House, browser: httpx.AsyncClient) -> None:
    await house.two_versions()
    page = (await browser.get("/promotions")).text
    latest, first = page.split('<li class="gate">')[1].split('<li class="first">')
    assert re.search(r"<details>\s*<summary>What carried it, the tightest first: \d+ claims</summary>", latest)
    assert any(claim.startswith("Protect minors: recall no worse −1.7 points") for claim in claims(latest))
    assert claims(first) == [
        "Protect minors: false alarms per 1,000 words within the ceiling 0.06 (0.02 to 0.16), ceiling 0.30",
        "Protect minors: recall within the floor 90 % (85 to 94), floor 20 %",
    ]
    assert "<script" not in page


async def test_a_guideline_tells_the_last_ruling_on_it(house: House, browser: httpx.AsyncClient) -> None:
    run = await house.two_versions()
    page = (await browser.get("/guidelines/plain")).text
    assert '<p class="ruled worse"><strong>recall worse, false alarms no worse</strong>' in page
    assert (
        f'PROMOTE: version 2 against version 1, 2026-05-01 12:00 UTC, in MLflow <a href="https://mlflow.example/#/runs/{run}">'
        in page
    )
    assert claims(page)[0].startswith("recall worse −50.0 points (")
    assert "It is advisory: reported, and decides nothing." in page
    kept = (await browser.get("/guidelines/kept")).text
    assert "<strong>unchanged: judges as before</strong>" in kept
    assert claims(kept) == []


async def test_of_a_guideline_that_came_later_the_first_champions_gate_says_nothing(
    house: House, browser: httpx.AsyncClient
) -> None:
    house.decide(1, BEFORE, FIRST)
    promote(house.registry, 1, who="ada")
    await house.serve()
    later = pack(*BEFORE.guidelines, guideline("later", title="Later"))
    promote(
        house.registry,
        register(house.registry, AgentSpec(pack=later)).version.number,
        force_reason="a hurry",
        who="ada",
    )
    await house.serve()
    assert "first champion: held to the floors alone" in (await browser.get("/guidelines/plain")).text
    assert "No decision that is told here says anything of it" in (await browser.get("/guidelines/later")).text


async def test_a_rollback_keeps_the_rulings_it_goes_back_to(house: House, browser: httpx.AsyncClient) -> None:
    await house.two_versions()
    promote(house.registry, 1, force_reason="a hurry", who="ada")
    await house.serve()
    rollback(house.registry, 2, reason="the hurry is over", who="ada")
    await house.serve()
    page = await browser.get("/runs?a_version=1&b_version=2")
    assert "The gate said PROMOTE: version 2 against version 1" in page.text
    promotions = (await browser.get("/promotions")).text
    assert any(claim.startswith("Protect minors: recall no worse") for claim in claims(promotions))


async def test_a_forced_version_says_that_nothing_was_claimed(house: House, browser: httpx.AsyncClient) -> None:
    for of in (BEFORE, AFTER):
        number = register(house.registry, AgentSpec(pack=of)).version.number
        promote(house.registry, number, force_reason="a hurry", who="ada")
        await house.serve()
    await house.check()
    page = await browser.get("/runs?a_version=1&b_version=2")
    assert "Version 2 was forced: no gate held it against version 1." in page.text
    assert page.text.count("Forced: no gate decided, so nothing was claimed of it.") == 2
    assert "rulings" not in tables(page)
    assert "Forced: no gate decided, so nothing was claimed of it." in (await browser.get("/promotions")).text
    assert "No decision that is told here says anything of it" in (await browser.get("/guidelines/plain")).text


async def test_a_decision_that_only_a_worker_of_the_release_before_told_of_is_named(
    house: House, browser: httpx.AsyncClient, stores: WorkerStores
) -> None:
    run = await house.two_versions()
    async with stores.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM gate_decisions")
    page = (await browser.get("/runs")).text
    assert "What the gate ruled of version 2 can’t stand beside the dots. Its claims aren’t told here" in page
    assert f'<a href="https://mlflow.example/#/runs/{run}">' in page
    assert "Its claims aren’t told here" in (await browser.get("/promotions")).text
    await house.serve()
    assert "The gate said PROMOTE" in (await browser.get("/runs")).text


async def test_why_names_the_ruling_on_the_findings_guideline(house: House, browser: httpx.AsyncClient) -> None:
    await house.two_versions()
    house.seed.pack = AFTER
    job = await house.seed.checked({"plain": 1}, at=utc_now(), version="2", user="local")
    (finding,) = await house.stores.feedback.findings(job.id)
    why = (await browser.get(f"/api/v1/jobs/{job.id}/findings/{finding}/why")).json()
    assert why["decided"]["ruling"] == "recall worse, false alarms no worse"
    assert [(one["name"], one["change"]) for one in why["decided"]["rulings"]] == [
        ("plain: recall", -0.5),
        ("plain: false alarms", 0.0),
    ]
