"""Takes the pictures in docs/images again: `python -m tests.serving.pages.screenshots`."""

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal, cast

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.serving.pages.conftest import LAUNCH
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
    page.get_by_role("button", name="Try a sample").click()
    page.get_by_role("button", name="Check article").click()
    page.locator("mark", has_text=SHOWN).click()
    page.evaluate("document.querySelector('.report').scrollTop = 0; scrollTo(0, 0); document.activeElement.blur()")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)  # until the words no longer flash
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    smaller(picture).save(IMAGES / f"page-{scheme}.png", optimize=True)
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
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=LAUNCH)
        take(browser, address, "light")
        take(browser, address, "dark")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
