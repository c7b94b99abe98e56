"""The periodic work by command."""

import asyncio
import os
from pathlib import Path

import pytest

from serving.adapters.stores import open_stores
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.serving.build import submission
from tests.serving.service import free_port


def test_a_round_says_what_it_came_to_and_purges_once_a_day(run, tmp_path: Path):
    first, second = run("tick"), run("tick")
    assert (first.code, "0 jobs taken back" in first.out, "Removed for their age: 0 jobs" in first.out) == (
        0,
        True,
        True,
    )
    assert "Nothing removed: it was done today." in second.out


async def ended(*ids: str) -> None:
    async with open_stores(ServingSettings()) as stores:
        for id in ids:
            await stores.jobs.add(submission(id, submitted=utc_now()))
            await stores.jobs.cancel(id, utc_now())


def test_a_round_without_mlflow_says_what_it_put_off_and_fails(run, monkeypatch: pytest.MonkeyPatch):
    asyncio.run(ended("a", "b"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    first = run("tick")
    assert (first.code, "0 runs logged to MLflow" in first.out) == (1, True)
    assert "Put off: 1 runs for MLflow, with all that wait behind: MLflow at http://127.0.0.1:" in first.out
    assert "Put off: the rest of what is removed for its age: MLflow at http://127.0.0.1:" in first.out
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    second = run("tick")
    assert (second.code, "1 runs logged to MLflow" in second.out, "Put off" in second.out) == (0, True, False)


def test_purging_by_hand_counts_first_and_removes_then(run, tmp_path: Path):
    log = tmp_path / "home" / "logs" / "api.log"
    log.parent.mkdir(parents=True)
    log.touch()
    os.utime(log, (0, 0))
    counted = run("purge", "--dry-run")
    assert (counted.code, "Nothing was removed." in counted.out, log.exists()) == (0, True, True)
    assert "1 log files" in " ".join(run("purge").out.split())
    assert not log.exists()
