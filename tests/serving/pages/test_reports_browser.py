"""The pages of figures in a real browser: axe, every look, hostile texts, and no script."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Dialog, Page, expect
from uvicorn import Config, Server

from registry.statement import Kind
from serving.access.api_keys import new_key
from serving.access.audit import Actor
from serving.access.caller import ROLES, Role
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_switches import SqlSwitches
from serving.adapters.stores import Stores, open_stores
from serving.app import create_app, utc_now
from serving.evidence import Figure, GuidelineEvidence
from serving.ports.control import DRAIN, Switch
from serving.settings import ServingSettings
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.addin.test_accessibility import LOOKS, violations
from tests.serving.conftest import OPEN
from tests.serving.pages.seeding import Seed, evidence, fill

pytestmark = pytest.mark.browser

DAY = timedelta(days=1)
PAGES = ("/runs", "/guidelines", "/guidelines/plain-words", "/promotions", "/status", "/admin", "/sign-in")
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "<svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "</title></svg></table><h1>out",
    "]]><!--",
    "&lt;b&gt;&amp;",
    "\u202etxet",
)


def start(app: FastAPI) -> tuple[str, Callable[[], None]]:
    """Runs an app with what it opens, in a thread; the address, and how to stop it."""
    server = Server(Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the test server did not start"

    def stop() -> None:
        server.should_exit = True
        thread.join()

    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", stop


def in_a_loop(work: Coroutine[Any, Any, None]) -> None:
    """In its own thread, because the synchronous Playwright keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def seeded(settings: ServingSettings, put: Callable[[Stores], Coroutine[Any, Any, object]]) -> None:
    async with open_stores(settings) as stores:
        await put(stores)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with a month's work in it."""
    settings = ServingSettings(home=tmp_path_factory.mktemp("house"), mlflow_public_url="https://mlflow.example")
    in_a_loop(seeded(settings, lambda stores: fill(stores, documents=12)))
    address, stop = start(create_app(settings, OPEN))
    yield address
    stop()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that nothing was done with."""
    address, stop = start(create_app(ServingSettings(home=tmp_path_factory.mktemp("bare")), OPEN))
    yield address
    stop()


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest, browser: Browser, house: str) -> Iterator[Page]:
    yield from _pages(browser, house, **LOOKS[request.param])


def _pages(browser: Browser, address: str, **look: Any) -> Iterator[Page]:
    """A page of a browser that runs no script of its pages; what the console says fails the test."""
    context = browser.new_context(base_url=address, **look)
    page = context.new_page()
    errors: list[str] = []

    def refuse(dialog: Dialog) -> None:
        errors.append(dialog.message)
        dialog.dismiss()

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.on("dialog", refuse)
    yield page
    context.close()
    assert errors == []


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(look: Page, path: str) -> None:
    look.goto(path)
    look.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert violations(look) == []
    assert look.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wide, narrow = look.locator("svg.wide").count(), look.locator("svg.narrow").count()
    visible = look.locator("svg:visible").count()
    assert wide == narrow == visible


@pytest.mark.parametrize("path", PAGES)
def test_a_printed_page_is_no_wider_than_its_sheet(browser: Browser, house: str, path: str) -> None:
    for page in _pages(browser, house, viewport={"width": 700, "height": 1000}):
        page.emulate_media(media="print")
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("path", [*PAGES[:2], *PAGES[3:]])
def test_empty_pages_are_whole_and_say_what_to_do(browser: Browser, bare: str, path: str) -> None:
    for page in _pages(browser, bare, **LOOKS["narrow"]):
        page.goto(path)
        assert violations(page) == []
        if path != "/sign-in":
            expect(page.locator(".empty").first).to_be_visible()


def test_the_form_asks_without_script(browser: Browser, house: str) -> None:
    for page in _pages(browser, house, java_script_enabled=False):
        page.goto("/runs")
        page.locator("select[name=channel]").select_option("word")
        page.locator("select[name=guideline]").select_option("plain-words")
        page.get_by_role("button", name="Compare").click()
        assert "channel=word" in page.url
        expect(page.locator("#table-guidelines tbody tr")).to_have_count(1)
        expect(page.locator("select[name=channel]")).to_have_value("word")


def test_pages_are_walked_by_keyboard(browser: Browser, house: str) -> None:
    for page in _pages(browser, house):
        page.goto("/promotions")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()


def hostile_decision(payload: str) -> str:
    """Whatever is text in it is hostile, also what the gate itself writes."""
    figures = {"low": -0.01, "high": 0.02}
    claim = {"verdict": payload, **figures}
    rulings = [
        {"name": f"{id}: {what}", "tier": payload, "deciding": True, "change": 0.0, "margin": 0.1, "smallest_drop": 0.1,
         "missing_groups": 0, "weight": "for", **claim}
        for id in ("plain-words", payload)
        for what in ("recall", payload)
    ]  # fmt: skip
    grounds = [
        {"weight": "for", "text": payload},
        {"weight": "for", "text": payload, "name": f"{payload}: {payload}", "quantity": "recall gained", "value": 0.0,
         "limit": 0.1, **claim},
    ]  # fmt: skip
    champion = {"version": {"number": "1"}}
    statuses = {"b": payload, payload: payload}
    said = {"outcome": "PROMOTE", "champion": champion, "rulings": rulings, "grounds": grounds, "statuses": statuses}
    return json.dumps(said)


async def hostile(stores: Stores, payload: str) -> None:
    """A database in which everything that somebody could name is named so."""
    now = utc_now()
    rule = guideline(
        "plain-words",
        title=payload,
        category=payload,
        guidance=f"{payload} guidance",
        violations=(f"{payload} bad",),
        compliant=(f"{payload} good",),
    )
    asked = prompt_guideline("b", title="B", instruction=payload, does_not_count=(payload,))
    seed = Seed(stores, pack(rule, asked), now)
    figure = Figure(value=0.5, low=0.4, high=0.6)
    figures = (
        GuidelineEvidence(guideline="plain-words", labelled=9, recall=figure, precision=figure, false_alarms=figure),
        GuidelineEvidence(guideline=payload, labelled=9, recall=figure, precision=figure, false_alarms=figure),
    )
    forced = evidence(1, kind=Kind.FORCED, at=now - 5 * DAY, reason=payload, who=payload)
    await seed.served(1, evidence=forced)
    passed = evidence(2, previous=1, at=now - DAY, who=payload, figures=figures)
    statement = passed.statement.model_copy(update={"labelled_set": payload, "policy": payload, "run": payload})
    await seed.served(
        2,
        champion=True,
        evidence=passed.model_copy(update={"statement": statement, "approvers": (payload,)}),
        decision=hostile_decision(payload),
    )
    facts: dict[str, Any] = {"user": "local", "title": payload, "document_id": payload, "channel": "word"}
    await seed.checked({"plain-words": 3}, at=now - 3 * DAY, version="1", run=payload, **facts)
    await seed.checked({"plain-words": 1, "b": 1}, at=now - DAY / 2, version="2", run=payload, **facts)
    dead = await seed.job(at=now - DAY / 2, user=payload, document_id=payload)
    await stores.leases.retry(dead, now, payload, pause=timedelta(0), max_attempts=1)
    key, _ = new_key(user=payload, name=payload, scopes=ROLES[Role.EDITOR], by=payload, now=now, expires=None)
    await SqlApiKeys(stores.database).add(key, Actor(payload, "command"))
    await SqlAudit(stores.database).note(Actor(payload, "entra"), "x", payload, payload, now=now)
    await SqlSwitches(stores.database).turn_on(Switch(DRAIN, payload, payload, now), via=payload)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_hostile_texts_are_shown_as_they_are(browser: Browser, tmp_path: Path, payload: str) -> None:
    settings = ServingSettings(home=tmp_path, mlflow_public_url="https://mlflow.example")
    in_a_loop(seeded(settings, lambda stores: hostile(stores, payload)))
    address, stop = start(create_app(settings, OPEN))
    try:
        for page in _pages(browser, address):
            for path in PAGES[:-1]:
                answer = page.goto(path)
                assert answer is not None
                assert answer.status == 200
                assert payload in page.evaluate("document.body.textContent"), path
                assert page.locator("script, main img, main [onload], main [onerror], main h1 ~ h1").count() == 0
                if path in ("/runs", "/promotions"):
                    for claim in page.locator(".claims li").all_text_contents():
                        assert payload in claim
                    assert page.locator(".claims li").count() >= 2
                links = page.evaluate("[...document.links].map((link) => new URL(link.href).protocol)")
                assert set(links) <= {"http:", "https:"}
            page.goto(f"/runs?{urlencode({'documents': payload, 'channel': payload, 'a_version': payload[:20]})}")
            page.goto(f"/sign-in?{urlencode({'next': payload})}")
    finally:
        stop()
