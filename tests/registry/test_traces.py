"""A trace of a job's checks: one, found by the job, without a word of the article."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.connection import Registry
from registry.runs import ProductionRun
from registry.traces import JobTrace, begin_trace, find_trace, log_job_trace
from tests.registry.logged import log_production_run
from tests.serving.build import judged_report

STARTED = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


async def record() -> ProductionRun:
    made = await judged_report()
    return ProductionRun(
        job_id=uuid4().hex,
        channel="word",
        title="Experts and what they say",
        version="7",
        code_digest="c" * 64,
        status="completed",
        report=made,
        submitted=STARTED - timedelta(seconds=1),
        started=STARTED,
        finished=STARTED + timedelta(seconds=2),
    )


async def test_a_trace_has_a_span_for_the_job_and_one_for_each_check(registry: Registry) -> None:
    ended = await record()
    run_id = log_production_run(registry, ended)
    trace = registry.client.get_trace(log_job_trace(registry, run_id, ended))
    root, judged, pattern = sorted(trace.data.spans, key=lambda span: span.name != "job")
    assert (root.name, root.parent_id, root.end_time_ns - root.start_time_ns) == ("job", None, 2_000_000_000)
    assert (judged.name, judged.parent_id) == ("check plain-words", root.span_id)
    assert (judged.start_time_ns, judged.end_time_ns - judged.start_time_ns) == (root.start_time_ns, 500_000_000)
    told = {name: judged.attributes[name] for name in ("verdict", "method", "findings")}
    assert told == {"verdict": "findings", "method": "model", "findings": 1}
    assert (judged.attributes["mlflow.chat.tokenUsage"]["input_tokens"], pattern.attributes["model_calls"]) == (900, 0)
    assert (trace.info.client_request_id, trace.info.trace_metadata["mlflow.sourceRun"]) == (ended.job_id, run_id)
    assert trace.info.token_usage == {"input_tokens": 900, "output_tokens": 40, "total_tokens": 940}


async def test_it_is_made_once_and_found_by_its_job(registry: Registry) -> None:
    ended = await record()
    run_id = log_production_run(registry, ended)
    assert find_trace(registry, ended.job_id) is None
    made = [log_job_trace(registry, run_id, ended) for _ in range(3)]
    assert set(made) == {find_trace(registry, ended.job_id)}
    experiment = registry.client.get_run(run_id).info.experiment_id
    found = registry.client.search_traces(locations=[experiment])
    assert [trace.info.client_request_id for trace in found].count(ended.job_id) == 1


async def test_one_that_was_begun_by_somebody_else_stands(registry: Registry) -> None:
    ended = await record()
    run_id = log_production_run(registry, ended)
    experiment = registry.client.get_run(run_id).info.experiment_id
    begun = begin_trace(registry, JobTrace(ended.job_id, experiment, STARTED, ended.finished, run_id))
    assert log_job_trace(registry, run_id, ended) == begun
    assert [span.name for span in registry.client.get_trace(begun).data.spans] == ["job"]


async def test_no_word_of_the_article_is_in_it(registry: Registry) -> None:
    ended = await record()
    trace = registry.client.get_trace(log_job_trace(registry, log_production_run(registry, ended), ended))
    told = trace.to_json()
    assert not any(word in told for word in ("utilise", "experts say", "Experts"))


async def test_without_a_report_there_is_nothing_to_trace(registry: Registry) -> None:
    ended = (await record()).model_copy(update={"report": None})
    with pytest.raises(ValueError, match="has no report, so there is nothing to trace"):
        log_job_trace(registry, "run", ended)
