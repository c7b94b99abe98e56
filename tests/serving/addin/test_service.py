"""The page on the real API and worker: what an editor sees is what the agent found."""

import pytest
from playwright.sync_api import Browser, expect

from tests.serving.pages.service import service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory):
    with service(tmp_path_factory.mktemp("service")) as address:
        page = browser.new_page(base_url=address)
        page.set_default_timeout(20_000)
        yield page
        page.close()


@pytest.fixture(autouse=True)
def opened(page):
    page.goto("/")
    page.wait_for_selector("html[data-ready]")


def test_the_sample_is_checked_by_the_champion(page):
    page.get_by_role("button", name="Try the sample").click()
    with page.expect_response(lambda answer: answer.url.endswith("/result") and answer.status == 200) as answered:
        page.get_by_role("button", name="Check article").click()
    report = answered.value.json()["report"]
    assert report["findings"]
    expect(page.get_by_role("heading", name="Score")).to_have_text(f"Score {report['score']['value']} of 100")
    page.get_by_text("points off, by").click()
    expect(page.get_by_text("Version 1, pack “house”")).to_be_visible()
    expect(page.get_by_text("promoted by force, without an evaluation")).to_be_visible()
    expect(page.locator(".card .words")).to_have_text([finding["quote"] for finding in report["findings"]])


def test_a_file_is_checked(page):
    article = "# Ferry terminal closes\n\nIt closes prior to March 😀, and we utilize the quay.\n"
    file = {"name": "ferry.md", "mimeType": "text/markdown", "buffer": article.encode()}
    page.get_by_label("Article file").set_input_files(file)
    expect(page.locator(".card .words")).to_have_text(["prior to", "utilize"], timeout=20_000)
    expect(page.locator("#article h1")).to_have_text("Ferry terminal closes")


def test_a_file_that_cannot_be_read_is_refused_in_the_apis_words(page):
    page.get_by_label("Article file").set_input_files(
        {"name": "a.docx", "mimeType": "x/y", "buffer": b"PK\x03\x04oops"}
    )
    expect(page.get_by_role("heading", name="Unsupported document")).to_be_visible(timeout=20_000)
