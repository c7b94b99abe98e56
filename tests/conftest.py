"""What every test may ask for."""

import os
from pathlib import Path

import pytest


def missing(part: str, how: str) -> None:
    """Skips on a bare machine, fails in CI: a test whose part is missing has shown nothing."""
    message = f"{part} is missing: {how}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real articles and rule packs made by others."""
    folder = os.environ.get("COPYDESK_CORPORA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("the corpora are missing: set COPYDESK_CORPORA to their folder")
    return Path(folder)
