"""A real browser, with the fake Word where a test asks for one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from agent.article import Article
from serving.addin.place import OFFICE
from tests.serving.pages.conftest import address, browser, context, page, peer, script, stage  # noqa: F401 - fixtures

FAKE_WORD = (Path(__file__).parent / "fake-word.js").read_text(encoding="utf-8")
STYLES = {"heading": "Heading1", "quote": "Quote"}

OpenWord = Callable[..., Page]


def word_paragraphs(article: Article) -> list[dict[str, Any]]:
    """An article as Word's paragraphs."""
    return [
        {
            "text": paragraph.text,
            "style": STYLES.get(paragraph.kind.value, "Normal"),
            "list": paragraph.kind.value == "list",
            "table": int(paragraph.kind.value == "table"),
        }
        for paragraph in article.paragraphs
    ]


def office_js(browsing: BrowserContext, paragraphs: list[Any], **config: Any) -> None:
    """Puts the fake Word in the place of Microsoft's library."""
    given = json.dumps({"paragraphs": paragraphs, **config})
    fake = f"globalThis.CONFIG = {given};\n{FAKE_WORD}"
    url = f"{OFFICE}/lib/1/hosted/office.js"
    browsing.route(url, lambda route: route.fulfill(body=fake, content_type="text/javascript"))


@pytest.fixture
def open_word(request: pytest.FixtureRequest) -> OpenWord:
    """Opens the task pane in a Word of the given configuration."""

    def opened(paragraphs: list[Any], **config: Any) -> Page:
        browsing: BrowserContext = request.getfixturevalue("context")
        office_js(browsing, paragraphs, **config)
        word = browsing.new_page()
        word.set_viewport_size({"width": 350, "height": 640})
        word.goto("/addin/taskpane.html")
        word.wait_for_selector("html[data-ready]")
        return word

    return opened
