"""A worker with a Redis, as a real process."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from agent.spec import ModelSpec
from serving.adapters.redis_check_cache import PREFIX
from tests.agent.build import pack, prompt_guideline
from tests.redis_server import redis_server
from tests.scripted_model import Scripted, ScriptedModel
from tests.serving.service import ended, service, submit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as url:
        yield url


def test_workers_share_limits_and_finished_checks_through_redis(tmp_path: Path, own_redis: str) -> None:
    with ScriptedModel(default=Scripted()) as model, Redis.from_url(own_redis) as redis:
        environment = {"COPYDESK_MODEL_URL": model.url, "REDIS_CONNECTION_STRING": own_redis}
        with service(tmp_path, environment=environment) as running, running.api() as client:
            running.make_champion(pack(prompt_guideline("rule")), ModelSpec(deployment="m"))
            worker = running.start_worker()
            assert ended(client, submit(client))["status"] == "completed"
            assert len(redis.keys(f"{PREFIX}*")) >= 1
            assert len(redis.keys("limiter:{*}:window")) == 1
            assert redis.keys("limiter:{*}:in-flight") == []
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(20) == 0


def test_a_worker_goes_on_without_its_redis(tmp_path: Path) -> None:
    with ScriptedModel(default=Scripted()) as model:
        environment = {"COPYDESK_MODEL_URL": model.url, "REDIS_CONNECTION_STRING": "redis://127.0.0.1:9"}
        with service(tmp_path, environment=environment) as running, running.api() as client:
            running.make_champion(pack(prompt_guideline("rule")), ModelSpec(deployment="m"))
            running.start_worker()
            assert ended(client, submit(client))["status"] == "completed"
