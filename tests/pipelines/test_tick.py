"""The periodic work by command."""

import os
from pathlib import Path


def test_a_round_says_what_it_came_to_and_purges_once_a_day(run, tmp_path: Path):
    first, second = run("tick"), run("tick")
    assert (first.code, "0 jobs taken back" in first.out, "Removed for their age: 0 jobs" in first.out) == (
        0,
        True,
        True,
    )
    assert "Nothing removed: it was done today." in second.out


def test_purging_by_hand_counts_first_and_removes_then(run, tmp_path: Path):
    log = tmp_path / "home" / "logs" / "api.log"
    log.parent.mkdir(parents=True)
    log.touch()
    os.utime(log, (0, 0))
    counted = run("purge", "--dry-run")
    assert (counted.code, "Nothing was removed." in counted.out, log.exists()) == (0, True, True)
    assert "1 log files" in " ".join(run("purge").out.split())
    assert not log.exists()
