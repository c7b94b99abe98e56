"""What an editor does at the page, and what stands there then."""

from typing import Any

from playwright.sync_api import Page, expect

from agent.article import Article, Block, build_article
from tests.serving.pages.results import check, result_of
from tests.serving.pages.scripted_api import JOB, Answer

CALM = build_article([Block("The library opens at nine on weekdays.")])
MARKED = """(name) => [...(CSS.highlights.get(name) ?? [])].map((range) => range.toString())"""


def found(article: Article, **more: Any) -> Answer:
    return Answer(result_of(article, check(article), **more))


def running(done: int, total: int = 40, *checked: str) -> Answer:
    return Answer({"job_id": JOB, "status": "running", "done": done, "total": total, "checked": list(checked)})


def write(page: Page, *paragraphs: str) -> None:
    """Types an article without a headline."""
    page.locator("#article p").click()
    page.keyboard.insert_text(paragraphs[0])
    for text in paragraphs[1:]:
        page.keyboard.press("Enter")
        page.keyboard.insert_text(text)


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


def card(page: Page, title: str) -> Any:
    return page.locator(".card", has=page.get_by_role("button", name=title))
