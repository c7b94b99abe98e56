"""A client's way: an article is sent with an address, and the address is called, signed, by a worker."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serving.callback import signed
from tests.agent.build import pack
from tests.serving.build import TEXT
from tests.serving.receiver import receiver
from tests.serving.service import service
from tests.waiting import eventually

KEY = b"k" * 32


@pytest.mark.slow
def test_a_client_is_called_when_its_article_is_checked(tmp_path: Path) -> None:
    with receiver() as called:
        environment = {
            "COPYDESK_WEBHOOK_SECRET": "whsec_" + base64.b64encode(KEY).decode(),
            "COPYDESK_CALLBACK_HOSTS": json.dumps([called.host]),
        }
        with service(tmp_path, environment=environment) as running:
            running.make_champion(pack())
            with running.api() as client:
                running.start_worker()
                sent = {"article": {"text": TEXT}, "callback_url": called.url}
                job = client.post("/api/v1/compliance/check", json=sent).json()["job_id"]
                [call] = eventually("it is called", lambda: called.calls)
                told = json.loads(call.body)
                report = client.get(told["data"]["links"]["result"]).json()["report"]
    at = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
    assert signed([KEY], call.headers["webhook-id"], at, call.body).items() <= call.headers.items()
    assert (told["data"]["job_id"], told["data"]["status"]) == (job, "completed")
    assert told["data"]["score"] == report["score"]["value"]
    assert sum(told["data"]["findings"].values()) == len(report["findings"])
