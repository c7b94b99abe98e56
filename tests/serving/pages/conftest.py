"""A real browser on the real pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.chromium import HOW, chromium, launched
from tests.conftest import missing
from tests.serving.pages.results import PACK
from tests.serving.pages.scripted_api import Script, scripted_app, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Per module: while the synchronous Playwright runs, no other event loop may run in this thread."""
    if chromium() is None:
        missing("Chromium", HOW)
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stage() -> list[Script]:
    """Whose script the peer follows now: one server for all tests of a module."""
    return []


@pytest.fixture
def script(stage: list[Script]) -> Script:
    stage[:] = [Script(PACK)]
    return stage[0]


@pytest.fixture(scope="module")
def peer(stage: list[Script]) -> Iterator[str]:
    with served(scripted_app(lambda: stage[0])) as address:
        yield address


@pytest.fixture
def address(peer: str, script: Script) -> str:
    return peer


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(5_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """The page at `/`, ready; whatever it reports to the console as an error fails the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    page.goto("/")
    page.wait_for_selector("html[data-ready]")
    yield page
    assert errors == []
