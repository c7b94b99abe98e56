"""What an editor does at the page, and what stands there then."""

from typing import Any

from playwright.sync_api import Page, expect

from agent.article import Article, Block, build_article
from tests.serving.pages.results import check, result_of
from tests.serving.pages.scripted_api import JOB, Answer
from tests.waiting import eventually

CALM = build_article([Block("The library opens at nine on weekdays.")])
MARKED = """(name) => [...(CSS.highlights.get(name) ?? [])].map((range) => range.toString())"""

CURRENT = "[...CSS.highlights.get('current')][0].getBoundingClientRect().toJSON()"
AT_REST = """async () => {
    let last = '', same = 0, found;
    while (same < 10) {
        await new Promise(requestAnimationFrame);
        found = %s;
        same = JSON.stringify(found) === last ? same + 1 : 0;
        last = JSON.stringify(found);
    }
    return found;
}"""


def found(article: Article, **more: Any) -> Answer:
    return Answer(result_of(article, check(article), **more))


def running(done: int, total: int = 40, *checked: str) -> Answer:
    return Answer({"job_id": JOB, "status": "running", "done": done, "total": total, "checked": list(checked)})


def write(page: Page, *paragraphs: str) -> None:
    """Types an article without a headline, the next paragraph when the last one stands there."""
    written = page.locator("#article p")
    written.click()
    for number, text in enumerate(paragraphs):
        if number:
            page.keyboard.press("Enter")
            expect(written).to_have_count(number + 1)
        page.keyboard.insert_text(text)
        expect(written.nth(number)).to_have_text(text)


def check_text(page: Page, *paragraphs: str) -> None:
    write(page, *(paragraphs or ("Some text.",)))
    page.get_by_role("button", name="Check article").click()


def check_sample(page: Page) -> None:
    page.get_by_role("button", name="Try the sample").click()
    page.get_by_role("button", name="Check article").click()
    expect(page.get_by_role("heading", name="Findings")).to_be_visible()


def marked(page: Page, name: str) -> list[str]:
    words: list[str] = page.evaluate(MARKED, name)
    return words


def text_of(page: Page) -> str:
    text: str = page.evaluate("document.getElementById('article').textContent")
    return text


def wait_for_text(page: Page, text: str) -> None:
    eventually(f"the article reads {text!r}", lambda: text_of(page) == text)


def at_rest(page: Page, expression: str) -> Any:
    """What it is once it has stayed the same through ten frames: whatever scrolled has come to its place."""
    return page.evaluate(AT_REST % expression)


def card(page: Page, title: str) -> Any:
    return page.locator(".card", has=page.get_by_role("button", name=title))
