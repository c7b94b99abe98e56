"""The example of docs/callbacks.md, run."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.callback import secret_key, signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type": "job.ended"}'


@pytest.fixture
def example() -> dict[str, Any]:
    page = (Path(__file__).parents[2] / "docs/callbacks.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)
    return names


def test_a_call_is_verified_as_the_page_says(example: dict[str, Any]) -> None:
    keys, now = [secret_key("whsec_" + "a" * 32), secret_key(SECRET)], datetime.now(UTC)
    headers = signed(keys, "message", now, BODY)
    verified = example["verified"]
    assert verified(SECRET, headers, BODY)
    assert not verified(SECRET, headers, BODY + b" ")
    assert not verified("whsec_" + "b" * 32, headers, BODY)
    assert not verified(SECRET, headers | {"webhook-id": "other"}, BODY)
    assert not verified(SECRET, signed(keys, "message", now - timedelta(minutes=6), BODY), BODY)
