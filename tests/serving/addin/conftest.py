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


@pytest.fixture
def open_word(context: BrowserContext) -> OpenWord:  # noqa: F811 - a fixture
    """Opens the task pane in a Word of the given configuration."""

    def opened(paragraphs: list[Any], **config: Any) -> Page:
        given = json.dumps({"paragraphs": paragraphs, **config})
        office = f"globalThis.CONFIG = {given};\n{FAKE_WORD}"
        context.route(
            f"{OFFICE}/lib/1/hosted/office.js",
            lambda route: route.fulfill(body=office, content_type="text/javascript"),
        )
        page = context.new_page()  # noqa: F811
        page.set_viewport_size({"width": 350, "height": 640})
        page.goto("/addin/taskpane.html")
        page.wait_for_selector("html[data-ready]")
        return page

    return opened
