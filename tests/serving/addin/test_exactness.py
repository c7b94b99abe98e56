"""A long article in both documents: every card goes to exactly its words, and what was replaced comes back."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agent.article import Article
from tests.serving.addin.conftest import OpenWord, word_paragraphs
from tests.serving.addin.editor import CURRENT, at_rest
from tests.serving.addin.long_article import FINDINGS, SUGGESTIONS, long_article, long_result
from tests.serving.pages.scripted_api import Answer, Script

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IN_PAGE = """async (keys) => {
    const blocks = [...document.querySelectorAll('#article :is(h1, p, li)')];
    const places = [];
    for (const title of document.querySelectorAll('.card .title')) {
        title.click();
        await new Promise((done) => setTimeout(done));
        const [range, ...others] = CSS.highlights.get('current');
        const block = range.startContainer.parentElement.closest('h1, p, li');
        const before = new Range();
        before.setStart(block, 0);
        before.setEnd(range.startContainer, range.startOffset);
        places.push([blocks.indexOf(block), before.toString().length, range.toString(), others.length]);
    }
    return places;
}"""
IN_SIGHT = """() => {
    const [range] = CSS.highlights.get('current');
    const [words, sheet] = [range.getBoundingClientRect(), document.querySelector('.sheet').getBoundingClientRect()];
    return range.toString() && words.height > 0 && words.top >= sheet.top && words.bottom <= sheet.bottom;
}"""
IN_WORD = """async () => {
    const places = [];
    for (const title of document.querySelectorAll('.card .title')) {
        fakeWord.selection = null;
        title.click();
        while (!fakeWord.selection) await new Promise((done) => setTimeout(done));
        const { paragraph, start, text } = fakeWord.selected();
        places.push([paragraph, start, text, 0]);
    }
    return places;
}"""


def expected(article: Article, result: dict[str, Any]) -> list[list[Any]]:
    """Paragraph, offset in UTF-16 units and words of each finding, by Python."""
    places = []
    for finding in result["report"]["findings"]:
        paragraph = article.paragraph_at(finding["start"])
        before = article.text[paragraph.start : finding["start"]]
        places.append([paragraph.index, len(before.encode("utf-16-le")) // 2, finding["quote"], 0])
    return places


@pytest.fixture
def page_document(script: Script, page: Page) -> tuple[Page, Article]:
    article, result = long_result()
    script.result = [Answer(result)]
    page.get_by_label("Article file").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    expect(page.locator(".card")).to_have_count(FINDINGS)
    return page, article


@pytest.fixture
def word_document(script: Script, open_word: OpenWord) -> tuple[Page, Article]:
    article, result = long_result()
    script.result = [Answer(result)]
    page = open_word(word_paragraphs(article))
    page.get_by_role("button", name="Check article").click()
    expect(page.locator(".card")).to_have_count(FINDINGS)
    page.set_default_timeout(60_000)
    return page, article


def test_the_article_is_as_long_as_it_is_said_to_be():
    article, result = long_result()
    assert 4_500 <= article.words <= 5_500
    assert len(result["report"]["findings"]) == FINDINGS
    assert long_article().text == article.text


def test_in_the_page_every_card_goes_to_its_words(page_document):
    page, article = page_document
    assert page.evaluate(IN_PAGE) == expected(article, long_result()[1])


def test_in_the_page_also_words_out_of_sight_are_counted_and_copied(page_document):
    page, article = page_document
    expect(page.locator("#length")).to_have_text(f"{article.words:,} words")
    page.locator("#article h1").first.click()
    page.keyboard.press("Control+a")
    page.wait_for_function("text => getSelection().toString().includes(text)", arg=article.paragraphs[-1].text)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_in_the_page_the_words_come_into_sight(page_document, motion):
    page, _ = page_document
    page.emulate_media(reduced_motion=motion)
    for number in (FINDINGS - 1, 0, FINDINGS // 2, FINDINGS - 20, 20):
        page.locator(".card .title").nth(number).click()
        page.wait_for_function(IN_SIGHT)
        at_rest(page, CURRENT)
        assert page.evaluate(IN_SIGHT)


def test_in_word_every_card_goes_to_its_words(word_document):
    page, article = word_document
    assert page.evaluate(IN_WORD) == expected(article, long_result()[1])


def replace_all_and_undo(page: Page, text: str) -> None:
    """All of each phrase, then all back; `text` is an expression for the document's."""
    before = page.evaluate(text)
    done = 0
    for new in SUGGESTIONS.values():
        page.get_by_role("button", name="Next finding").click()
        while not page.locator(".card[aria-current]").get_by_role("button", name=f"Replace with “{new}”").count():
            page.get_by_role("button", name="Next finding").click()
        count = page.locator(".card:visible", has=page.get_by_text(_phrase(new), exact=True)).count()
        page.locator(".card[aria-current]").get_by_role("checkbox").check()
        page.get_by_role("button", name=f"Replace with “{new}”").click()
        expect(page.locator(".toast")).to_contain_text(f"{count} replaced.", timeout=60_000)
        done += count
    assert done == FINDINGS
    assert page.evaluate(text) != before
    page.locator(".handled summary").click()
    page.get_by_role("button", name="Undo all").click()
    expect(page.locator(".card:visible")).to_have_count(FINDINGS, timeout=60_000)
    assert page.evaluate(text) == before


def _phrase(new: str) -> str:
    return next(phrase for phrase, suggestion in SUGGESTIONS.items() if suggestion == new)


def test_in_the_page_replacing_all_and_undoing_all_changes_nothing(page_document):
    replace_all_and_undo(page_document[0], "document.getElementById('article').innerHTML")


def test_in_word_replacing_all_and_undoing_all_changes_nothing(word_document):
    page, _ = word_document
    replace_all_and_undo(page, "fakeWord.text().join('\\n')")
    joined = page.evaluate("fakeWord.runs().map((runs) => runs.map(([text]) => text).join('')).join('\\n')")
    assert joined == page.evaluate("fakeWord.text().join('\\n')")
