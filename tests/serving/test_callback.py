import base64
from datetime import timedelta

import pytest

from serving.callback import MOST_ATTEMPTS, pause_after, secret_key, signed
from tests.serving.build import NOW

KEY = b"k" * 32


def test_a_secret_is_base64_behind_a_prefix() -> None:
    assert secret_key("whsec_" + base64.b64encode(KEY).decode()) == KEY


@pytest.mark.parametrize(
    ("text", "says"),
    [("plain", "doesn't begin with whsec_"), ("whsec_c2hvcnQ=", "holds 5 bytes"), ("whsec_!", "base64")],
)
def test_a_secret_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"(?i){says}"):
        secret_key(text)


def test_a_signature_is_the_one_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    key = secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = NOW.fromtimestamp(1614265330, tz=NOW.tzinfo)
    assert signed([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_rotated_both_sign() -> None:
    one, both = signed([KEY], "m", NOW, b"{}"), signed([KEY, b"o" * 32], "m", NOW, b"{}")
    assert both["webhook-signature"].split()[0] == one["webhook-signature"]
    assert len(both["webhook-signature"].split()) == 2


def test_pauses_grow_until_a_call_is_given_up() -> None:
    pauses = [pause_after(attempt) for attempt in range(1, MOST_ATTEMPTS)]
    assert pauses[:3] == [timedelta(seconds=seconds) for seconds in (5, 15, 45)]
    assert timedelta(hours=20) < sum(filter(None, pauses), timedelta()) < timedelta(hours=24)
    assert pause_after(MOST_ATTEMPTS) is None
