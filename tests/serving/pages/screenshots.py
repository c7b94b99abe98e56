"""Takes the pictures in docs/images again: `python -m tests.serving.pages.screenshots`."""

import io
import sys
import tempfile
from pathlib import Path
from typing import Literal, cast

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import launched
from tests.serving.addin.conftest import office_js, word_paragraphs
from tests.serving.pages.results import sample
from tests.serving.pages.service import service

IMAGES = Path(__file__).parents[3] / "docs" / "images"
SHOWN = "due to the fact that"
COLOURS = 256  # a third of the bytes


def take(browser: Browser, address: str, scheme: Literal["light", "dark"]) -> None:
    """The sample, checked, with one of its findings chosen."""
    page = browser.new_page(
        base_url=address, viewport={"width": 1280, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.goto("/")
    page.get_by_role("button", name="Try the sample").click()
    page.get_by_role("button", name="Check article").click()
    choose(page)
    save(page, f"page-{scheme}.png")


def take_word(browser: Browser, address: str) -> None:
    """The pane as narrow as Word may make it. Beside it stands no Word: what answers is the tests' fake."""
    context = browser.new_context(
        base_url=address, viewport={"width": 320, "height": 640}, device_scale_factor=2, reduced_motion="reduce"
    )
    office_js(context, word_paragraphs(sample()))
    page = context.new_page()
    page.goto("/addin/taskpane.html")
    page.get_by_role("button", name="Check article").click()
    choose(page)
    save(page, "pane.png")


def choose(page: Page) -> None:
    page.locator(".card", has_text=SHOWN).locator(".title").click()
    page.evaluate("document.activeElement.blur(); document.getElementById('pane').scrollTop = 0; scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)


def save(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    smaller(picture).save(IMAGES / name, optimize=True)
    page.close()


def smaller(picture: Image.Image) -> Image.Image:
    """With the commonest colours only: the grounds stay exactly as they are, a letter's soft edges move a little."""
    counts = picture.getcolors(picture.width * picture.height) or []
    commonest = sorted(counts, key=lambda counted: -counted[0])[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for _, colour in commonest for level in cast("tuple[int, int, int]", colour)])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as address, sync_playwright() as playwright:
        browser = launched(playwright)
        take(browser, address, "light")
        take(browser, address, "dark")
        take_word(browser, address)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
