from collections.abc import AsyncIterator

import pytest

from tests.agent import build


@pytest.fixture(autouse=True)
async def close_endpoints() -> AsyncIterator[None]:
    """Every endpoint that a test made is closed in the event loop that used it."""
    yield
    while build.OPENED:
        await build.OPENED.pop().close()
