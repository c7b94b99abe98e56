"""Debian's Chromium without a window, for tests, measurements and pictures."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

HOW = "apt-get install chromium-headless-shell"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The one that CHROMIUM names, else the shell, which draws no tabs and menus that nobody sees, else Chromium."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")


def launched(playwright: Playwright) -> Browser:
    """Raises LookupError where it is missing."""
    path = chromium()
    if path is None:
        raise LookupError(f"Chromium is missing: {HOW}")
    return playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
