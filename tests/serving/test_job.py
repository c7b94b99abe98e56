from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.job import ENDED, MOVES, Job, JobStatus
from tests.serving.build import LEASE, NOW, job

RUNNING = job(status=JobStatus.RUNNING, attempt=1, started=NOW, lease_until=NOW + LEASE)


@pytest.mark.parametrize("status", sorted(ENDED))
def test_a_running_job_ends_in_any_way(status: JobStatus) -> None:
    ended = RUNNING.ended_as(status, NOW, reason="so")
    assert (ended.status, ended.finished, ended.lease_until, ended.reason) == (status, NOW, None, "so")


@pytest.mark.parametrize("status", sorted(ENDED))
def test_an_ended_job_stays_as_it_is(status: JobStatus) -> None:
    ended = RUNNING.ended_as(status, NOW)
    with pytest.raises(ValueError, match=f"job a is {status} and can't become {JobStatus.CANCELLED}"):
        ended.ended_as(JobStatus.CANCELLED, NOW)


def test_a_waiting_job_can_be_cancelled_but_not_completed() -> None:
    assert job().ended_as(JobStatus.CANCELLED, NOW).ended
    with pytest.raises(ValueError, match="is queued and can't become completed"):
        job().ended_as(JobStatus.COMPLETED, NOW)


def test_a_job_ends_as_nothing_else() -> None:
    with pytest.raises(ValueError, match="a job ends as one of"):
        RUNNING.ended_as(JobStatus.QUEUED, NOW)


def test_a_lost_job_is_as_new_but_for_its_attempts() -> None:
    back = RUNNING.given_back(NOW, max_attempts=2, reason="silence")
    assert back == job(attempt=1, reason="silence")


def test_a_job_lost_too_often_has_failed_and_says_why() -> None:
    lost = RUNNING.given_back(NOW, max_attempts=1, reason="silence")
    assert (lost.status, lost.reason) == (JobStatus.FAILED, "given up after 1 attempt: silence")


@given(st.lists(st.sampled_from(["claim", "lose", "cancel", "end"])))
def test_whatever_happens_the_states_are_legal_and_attempts_never_fall(events: list[str]) -> None:
    current = job()
    for event in events:
        before = current
        try:
            current = apply(current, event)
        except ValueError:
            continue
        assert current.status in MOVES[before.status]
        assert current.attempt >= before.attempt
        assert (current.lease_until is None) == (current.status is not JobStatus.RUNNING)


def apply(current: Job, event: str) -> Job:
    match event:
        case "claim" if current.status is JobStatus.QUEUED:  # as leases do in the database
            return replace(RUNNING, attempt=current.attempt + 1)
        case "claim":
            raise ValueError("there is nothing to claim")
        case "lose":
            return current.given_back(NOW + timedelta(minutes=1), max_attempts=3, reason="silence")
        case "cancel":
            return current.ended_as(JobStatus.CANCELLED, NOW)
        case _:
            return current.ended_as(JobStatus.COMPLETED, NOW)
