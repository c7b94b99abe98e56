from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.check import Check, Usage, Verdict
from agent.finding import Method, Severity
from agent.report import ComplianceReport, VersionStamp, build_report
from registry import runs
from registry.connection import Registry
from registry.runs import ProductionRun, experiment_name, find_run
from tests.agent.build import article, finding, guideline
from tests.registry.logged import log_production_run

STARTED = datetime(2026, 11, 22, 23, 59, 58, tzinfo=UTC)
STAMP = VersionStamp(
    name="copydesk-agent", number="3", digest="d" * 64, code_digest="c" * 64, pack="test", pack_digest="p" * 64
)


def report(guidelines: int = 1) -> ComplianceReport:
    ids = ["plain-words", *(f"more-{n}" for n in range(guidelines - 1)), "attribution"]
    found = finding("plain-words", Severity.BREACH)
    checks = [
        Check(guideline=ids[0], verdict=Verdict.FINDINGS, method=Method.PATTERN, findings=(found,), unanchored=2),
        *(Check(guideline=id, verdict=Verdict.CLEAR, method=Method.PATTERN) for id in ids[1:-1]),
        Check(guideline=ids[-1], verdict=Verdict.FAILED, reason="no", usage=Usage(calls=2, input_tokens=90)),
    ]
    chosen = [guideline(id) for id in ids]
    return build_report(article("word " * 400), chosen, checks, version=STAMP, seconds=1.5)


def record(job: str = "job-1", **fields: object) -> ProductionRun:
    values = {
        "job_id": job,
        "document_id": "story's/42",
        "channel": "word",
        "version": "3",
        "code_digest": "c" * 64,
        "status": "partial",
        "report": report(),
        "submitted": STARTED - timedelta(seconds=0.25),
        "started": STARTED,
        "finished": STARTED + timedelta(seconds=1.75),
    }
    return ProductionRun.model_validate(values | fields)


def test_a_run_says_what_was_checked_by_which_version(registry: Registry) -> None:
    run = registry.client.get_run(log_production_run(registry, record("says")))
    own = {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}
    assert own == {
        "job_id": "says",
        "document_id": "story's/42",
        "channel": "word",
        "status": "partial",
        "content_hash": report().article.content_hash,
    }
    assert run.data.params == {
        "version": "3",
        "version_digest": "d" * 64,
        "code_digest": "c" * 64,
        "pack": "test",
        "pack_digest": "p" * 64,
        "evidence": "none",
        "record": "none",
        "guideline_set": "plain-words,attribution",
    }


def test_a_run_has_its_numbers(registry: Registry) -> None:
    run = registry.client.get_run(log_production_run(registry, record("numbers")))
    score = report().score
    assert score
    assert run.data.metrics == {
        "score": score.value,
        "score_average": score.average,
        "score_minimum": score.minimum,
        "findings": 1,
        "findings_by_severity/breach": 1,
        "findings_by_severity/warning": 0,
        "findings_by_severity/advice": 0,
        "findings_by_guideline/plain-words": 1,
        "checks": 2,
        "checks_failed": 1,
        "checks_fallback": 0,
        "unanchored": 2,
        "model_calls": 2,
        "input_tokens": 90,
        "output_tokens": 0,
        "cached_tokens": 0,
        "model_retries": 0,
        "kept_verdicts": 0,
        "cost": 0,
        "words": 400,
        "duration_seconds": 1.5,
        "attempts": 1,
        "wait_seconds": 0.25,
        "turnaround_seconds": 2.0,
    }


def test_a_run_has_the_job_s_times_and_its_report(registry: Registry) -> None:
    run = registry.client.get_run(log_production_run(registry, record("report")))
    stored = Path(registry.client.download_artifacts(run.info.run_id, "report.json"))
    assert ComplianceReport.model_validate_json(stored.read_bytes()) == report()
    assert (run.info.start_time, run.info.end_time) == (1795391998000, 1795391999750)
    assert run.info.status == "FINISHED"


def test_a_job_is_logged_once(registry: Registry) -> None:
    first = log_production_run(registry, record("once"))
    assert log_production_run(registry, record("once")) == first


def test_a_run_cut_short_is_completed_not_repeated(registry: Registry) -> None:
    whole = record("cut")
    experiment = registry.experiment_id(experiment_name(registry, whole.finished))
    begun = registry.client.create_run(experiment, tags=runs.tags(whole))
    registry.client.log_metric(begun.info.run_id, "score", 1.0, timestamp=0)
    assert log_production_run(registry, whole) == begun.info.run_id
    run = find_run(registry, experiment, "cut")
    assert run
    assert (run.info.status, run.data.metrics["words"]) == ("FINISHED", 400)


def test_a_second_attempt_leaves_one_point_a_metric(registry: Registry) -> None:
    run_id = log_production_run(registry, record("points"))
    registry.client.update_run(run_id, "RUNNING")
    log_production_run(registry, record("points"))
    assert len(registry.client.get_metric_history(run_id, "score")) == 1


def test_runs_of_a_month_share_an_experiment(embedded: Registry) -> None:
    finished = record().finished
    names = [experiment_name(embedded, finished + timedelta(days=days)) for days in (0, 9)]
    assert names == ["copydesk/production-2026-11", "copydesk/production-2026-12"]


def test_a_job_without_a_report_is_a_run_too(registry: Registry) -> None:
    failed = record("failed", report=None, status="failed", reason="given up after 3 attempts", started=None)
    run = registry.client.get_run(log_production_run(registry, failed))
    assert (run.info.status, run.data.tags["status"]) == ("FINISHED", "failed")
    assert run.data.tags["reason"] == "given up after 3 attempts"
    assert run.data.params == {"version": "3", "code_digest": "c" * 64}
    assert run.data.metrics == {"attempts": 1, "turnaround_seconds": 2.0}


def test_a_job_that_ends_another_way_after_all_changes_its_run(registry: Registry) -> None:
    failed = record("again", report=None, status="failed", reason="the model was down")
    run_id = log_production_run(registry, failed)
    assert log_production_run(registry, record("again", attempts=4)) == run_id
    run = registry.client.get_run(run_id)
    assert (run.data.tags["status"], run.data.metrics["attempts"], run.data.metrics["words"]) == ("partial", 4, 400)


def test_a_pack_of_more_guidelines_than_mlflow_takes_at_once(embedded: Registry) -> None:
    run_id = log_production_run(embedded, record("many", report=report(guidelines=1500)))
    run = embedded.client.get_run(run_id)
    assert sum(name.startswith("findings_by_guideline/") for name in run.data.metrics) == 1500
    assert run.data.params["guideline_set"] == "1501 guidelines: see report.json"


def test_a_failed_report_has_no_score() -> None:
    failed = report().model_copy(update={"score": None, "status": "failed"})
    assert "score" not in runs.metrics(record(report=failed))


@pytest.mark.parametrize("job", ["", "a'b", "a b", "x" * 251])
def test_a_job_id_that_would_break_the_look_up_is_refused(job: str) -> None:
    with pytest.raises(ValidationError, match="job_id"):
        record(job)
