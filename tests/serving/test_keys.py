import pytest

from serving import keys
from serving.job import JobStatus


def test_keys_are_those_that_operators_know() -> None:
    found = [keys.status_key("a"), keys.result_key("a"), keys.rate_limit_key("ada"), keys.article_key("0f")]
    assert found == ["job:status:a", "job:result:a", "user:ratelimit:ada", "article:hash:0f"]
    assert (keys.RESULT_SECONDS, keys.RATE_WINDOW_SECONDS, keys.ARTICLE_SECONDS) == (900, 60, 3600)


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_status_that_may_change_is_kept_for_a_moment(status: JobStatus) -> None:
    live = status in (JobStatus.QUEUED, JobStatus.RUNNING)
    assert keys.status_seconds(status) == (10 if live else 300)
