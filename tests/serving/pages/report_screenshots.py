"""Takes the pictures of the pages of figures again: `python -m tests.serving.pages.report_screenshots [FOLDER]`.

Without a folder those in docs/images; with one, every page in every look.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from serving.app import create_app
from serving.settings import ServingSettings
from tests.chromium import launched
from tests.serving.addin.test_accessibility import LOOKS
from tests.serving.conftest import OPEN
from tests.serving.pages.screenshots import IMAGES, smaller
from tests.serving.pages.seeding import fill
from tests.serving.pages.test_reports_browser import PAGES, in_a_loop, seeded, start

SHOWN = {"runs": "/runs#by-guideline", "guideline": "/guidelines/plain-words"}


def take(browser: Browser, address: str, path: str, *, whole: bool = False, **look: Any) -> Image.Image:
    context = browser.new_context(base_url=address, **look)
    page = context.new_page()
    page.goto(path)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    context.close()
    return picture


def main(folder: Path | None) -> int:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        settings = ServingSettings(home=Path(home), mlflow_public_url="https://mlflow.example")
        in_a_loop(seeded(settings, fill))
        address, stop = start(create_app(settings, OPEN))
        browser = launched(playwright)
        if folder is None:
            for name, path in SHOWN.items():
                size = {"width": 1120, "height": 1000}
                picture = take(browser, address, path, color_scheme="light", viewport=size)
                smaller(picture).save(IMAGES / f"{name}.png", optimize=True)
        else:
            for look, options in LOOKS.items():
                for path in PAGES:
                    name = f"{path.strip('/').replace('/', '-')}-{look.replace(' ', '-')}.png"
                    take(browser, address, path, whole=True, **options).save(folder / name)
        browser.close()
        stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
