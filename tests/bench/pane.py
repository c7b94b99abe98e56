"""`pane-...`: what the pane costs on the wire, at its start, with 200 findings and with 500 marks, in Chromium."""

import statistics
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.measure import Measurement, benchmark
from tests.chromium import HOW, chromium, launched
from tests.serving.addin.long_article import long_result
from tests.serving.pages.results import PACK
from tests.serving.pages.scripted_api import Answer, Script, scripted_app, served
from tests.serving.pages.test_assets import sent

WIRE_KB, START_MS, CARD_MS, LONG_TASK_MS = 15.0, 10.0, 100.0, 50.0
REPEATS = 7
MARKS, MARKED_PARAGRAPHS = 500, 160
TYPED = 150  # characters

WATCH = """
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration);
    }).observe({ type: 'longtask' });
    new MutationObserver((_, observer) => {
        if (!document.querySelector('.card')) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => (globalThis.shown = performance.now())));
    }).observe(document, { childList: true, subtree: true });
"""
FIRST_CARD = """() => {
    const [result] = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/result'));
    return globalThis.shown - result.responseEnd;
}"""


@benchmark("pane")
def pane() -> Iterator[Measurement]:
    start, whole = sent() / 1000, sent(later=True) / 1000
    note = f"page, scripts and styles until a check can be asked for; {whole:.1f} KB with what is fetched then"
    yield Measurement("pane-wire", start, "KB", f"<= {WIRE_KB:g} KB", start <= WIRE_KB, note=note)
    if chromium() is None:
        for name in ("pane-start", "pane-first-card", "pane-typing"):
            yield Measurement(name, None, "ms", "", None, note=f"Chromium is missing: {HOW}")
        return
    script = Script(PACK)
    with served(scripted_app(lambda: script)) as address, sync_playwright() as playwright:
        browser = launched(playwright)
        starting = statistics.median(_start_ms(browser, address) for _ in range(REPEATS))
        script.result = [Answer(long_result()[1])]
        cards = statistics.median(_first_card_ms(browser, address) for _ in range(REPEATS))
        script.result = [Answer(long_result(MARKS, paragraphs=MARKED_PARAGRAPHS)[1])]
        marks, longest = _typing_ms(browser, address)
        browser.close()
    yield Measurement(
        "pane-start", starting, "ms", f"<= {START_MS:g} ms", starting <= START_MS, note="script until ready"
    )
    note = "from the result's last byte to the frame with the first card; 200 findings, 5,000 words"
    yield Measurement("pane-first-card", cards, "ms", f"<= {CARD_MS:g} ms", cards <= CARD_MS, note=note)
    note = (
        f"the longest task while {TYPED} characters are typed into the article with {marks} marks; 0: none over 50 ms"
    )
    yield Measurement("pane-typing", longest, "ms", f"< {LONG_TASK_MS:g} ms", longest < LONG_TASK_MS, note=note)


def _opened(browser: Browser, address: str) -> Page:
    page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 900})
    page.add_init_script(WATCH)
    page.goto("/")
    page.wait_for_selector("html[data-ready]")
    return page


def _start_ms(browser: Browser, address: str) -> float:
    page = browser.new_page(base_url=address)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto("/")
    page.wait_for_timeout(1_000)  # without a look at the page, which would be a script in it
    metrics: dict[str, Any] = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    page.close()
    return float(metrics["ScriptDuration"]) * 1000


def _first_card_ms(browser: Browser, address: str) -> float:
    page = _opened(browser, address)
    _check(page)
    taken: float = page.evaluate(FIRST_CARD)
    page.close()
    return taken


def _check(page: Page) -> None:
    file: Any = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}
    page.get_by_label("Article file").set_input_files(file)
    page.wait_for_selector(".card[aria-current]")
    page.wait_for_timeout(500)


def _typing_ms(browser: Browser, address: str) -> tuple[int, float]:
    page = _opened(browser, address)
    _check(page)
    marks: int = page.evaluate(
        "['breach', 'warning', 'advice'].reduce((sum, name) => sum + CSS.highlights.get(name).size, 0)"
    )
    page.locator("#article p").nth(3).click(position={"x": 40, "y": 10})
    page.wait_for_timeout(500)
    page.evaluate("globalThis.longest = 0")
    page.keyboard.type("some words and more ".ljust(TYPED, "x"), delay=30)
    page.wait_for_timeout(500)
    longest: float = page.evaluate("globalThis.longest")
    page.close()
    return marks, longest
