"""axe-core finds nothing, in every state, both themes, forced colours, and at 320 px."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.addin.place import SigningIn
from tests.conftest import missing
from tests.serving.pages.results import check, result_of, sample
from tests.serving.pages.scripted_api import JOB, PLACE, Answer, problem

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "js" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """async (rules) => {
    const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}"""
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "middle": {"color_scheme": "dark", "viewport": {"width": 1000, "height": 700}, "reduced_motion": "reduce"},
    "narrow": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}, "reduced_motion": "reduce"},
    "forced colours": {"forced_colors": "active", "viewport": {"width": 1280, "height": 900}},
}


@pytest.fixture(params=LOOKS)
def look(request, browser: Browser, address: str):
    context = browser.new_context(base_url=address, **LOOKS[request.param])
    context.set_default_timeout(5_000)
    page = context.new_page()
    page.goto("/")
    page.wait_for_selector("html[data-ready]")
    yield page
    context.close()


def violations(page: Page) -> list[str]:
    """Injected past the page's content security policy, which stays in force."""
    if not AXE.exists():
        missing("axe-core", "npm ci --prefix tests/serving/js")
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    found: list[str] = page.evaluate(CHECK, RULES)
    return found


def submit(page: Page) -> None:
    page.get_by_role("button", name="Try the sample").click()
    page.get_by_role("button", name="Check article").click()


def test_before_a_check(look):
    look.locator(".rules summary").first.click()
    assert violations(look) == []


def test_while_it_runs(look, script):
    script.status = [Answer({"job_id": JOB, "status": "running", "done": 7, "total": 40, "checked": ["dates"]})]
    submit(look)
    expect(look.get_by_role("progressbar")).to_have_attribute("value", "7")
    assert violations(look) == []


def test_after_it_failed(look, script):
    script.submit = [problem(429, "Rate limited", "500 a minute are allowed", Retry_After="60")]
    submit(look)
    expect(look.locator(".failure")).to_be_visible()
    assert violations(look) == []


def test_with_findings(look, script):
    script.result = [Answer(result_of(sample(), check(sample())))]
    submit(look)
    look.locator(".parts summary").click()
    look.locator(".card .title").nth(1).click()
    look.get_by_role("button", name="Replace with “because”").click()
    look.locator(".card .title:visible").nth(3).click()
    look.get_by_role("button", name="Why", exact=True).click()
    look.get_by_role("button", name="Dismiss", exact=True).click()
    look.get_by_text("1 replaced", exact=True).click()
    assert violations(look) == []
    assert look.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert look.evaluate("document.getElementById('pane').scrollWidth <= document.getElementById('pane').clientWidth")


def test_signing_in(look, script):
    script.place = replace(PLACE, signing_in=SigningIn("key"))
    look.reload()
    expect(look.get_by_label("API key")).to_be_visible()
    assert violations(look) == []


def test_in_word(open_word):
    page = open_word(["We utilize it."])
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_help(look):
    look.goto("/addin/help.html")
    assert violations(look) == []
