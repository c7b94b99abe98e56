"""The document in Word, driven through Microsoft's own Word proxies: what they accept is what Word is asked.

The published package knows about WordApi 1.3, so tracked changes, comments, events and squiggles aren't in it. Its
licence is for developing and testing; it isn't installed with the other packages.
"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from serving.pages.assets import assets

pytestmark = [pytest.mark.browser, pytest.mark.contract]

PACKAGE = "@microsoft/office-js@1.1.110"
HERE = Path(__file__).parent
PROXIES = HERE.parent / "js/node_modules/@microsoft/office-js/dist/word-web-16.00.debug.js"
LONG = " ".join(f"word{at}" for at in range(120))
PARAGRAPHS = ["x", "the cat and the dog and the bird", LONG, "one aaa two ^2"]


@pytest.fixture
def proxies(browser: Browser, address: str):
    if not PROXIES.exists():
        pytest.skip(f"Microsoft's proxies are missing: npm install --no-save --prefix tests/serving/js {PACKAGE}")
    page = browser.new_page(base_url=address, bypass_csp=True)
    page.goto("/addin/help.html")
    page.add_script_tag(path=PROXIES)
    page.add_script_tag(path=HERE / "proxies-host.js")
    page.evaluate("(paragraphs) => answerProxies(paragraphs)", PARAGRAPHS)
    yield page
    page.close()


def act(page: Page, act: str, place: dict[str, Any]) -> Any:
    return page.evaluate(
        """async ([url, act, place]) => {
            const { WordDocument } = await import(url);
            const editing = await new WordDocument().editing();
            return editing[act](() => place);
        }""",
        [assets().url("word-document.js"), act, place],
    )


def test_paragraphs_are_read(proxies):
    read = proxies.evaluate(
        "async (url) => new (await import(url)).WordDocument().read()", assets().url("word-document.js")
    )
    assert read == [{"id": "", "text": text, "kind": "text", "level": 0} for text in PARAGRAPHS]


@pytest.mark.parametrize(
    ("index", "start", "end"),
    [(1, 24, 27), (2, 6, 400), (3, 5, 7), (3, 12, 14)],
    ids=["the third of equal words", "longer than a search", "overlapping", "a caret"],
)
def test_exactly_the_words_are_selected(proxies, index, start, end):
    quote = PARAGRAPHS[index][start:end]
    assert act(proxies, "reveal", {"index": index, "start": start, "end": end, "quote": quote})
    assert proxies.evaluate("proxyHost.selection") == {"paragraph": index, "start": start, "text": quote}


def test_words_are_replaced(proxies):
    assert act(proxies, "replace", {"index": 1, "start": 4, "end": 7, "quote": "cat", "text": "cow"})
    assert proxies.evaluate("proxyHost.paragraphs[1]") == "the cow and the dog and the bird"


def test_other_words_are_not(proxies):
    assert not act(proxies, "replace", {"index": 1, "start": 4, "end": 7, "quote": "cot", "text": "cow"})
    assert proxies.evaluate("proxyHost.paragraphs") == PARAGRAPHS


def test_the_proxies_themselves_insist_on_load(proxies):
    code = proxies.evaluate(
        """() => Word.run(async (context) => {
            const { paragraphs } = context.document.body;
            paragraphs.load({ text: true });
            await context.sync();
            return paragraphs.items[0].isListItem;
        }).catch((error) => error.code)"""
    )
    assert code == "PropertyNotLoaded"
