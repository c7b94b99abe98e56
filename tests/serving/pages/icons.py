"""Draws the add-in's icons again from their SVG: `python -m tests.serving.pages.icons`."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from serving.addin.manifests import ICONS, SIZES
from serving.pages.assets import SERVING
from tests.chromium import launched

OUTLINE_SIZE = 32


def draw(browser: Browser, svg: Path, png: Path, size: int) -> None:
    page = browser.new_page(viewport={"width": size, "height": size})
    picture = svg.read_text(encoding="utf-8").replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)
    page.set_content(f'<body style="margin:0;display:flex">{picture}')
    page.screenshot(path=png, omit_background=True)
    page.close()


def main() -> int:
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for size in SIZES:
            draw(browser, SERVING / "pages" / "static" / "icon.svg", ICONS / f"icon-{size}.png", size)
        draw(browser, ICONS / "outline.svg", ICONS / "outline.png", OUTLINE_SIZE)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
