"""Traces as a collector receives them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.spec import ModelSpec
from serving.about import about
from serving.tracing import NO_TRACES, Kind, Traces, TracingSettings, TracingUnusable, open_traces, span
from tests.agent.build import guideline, pack, prompt_guideline
from tests.scripted_model import ScriptedModel, finds
from tests.serving.otlp import Collector, collector
from tests.serving.service import ended, service, submit
from tests.waiting import eventually

PARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"
UNSAMPLED = f"00-{'ab' * 16}-{'cd' * 8}-00"

IMPORTS = """
import sys
from serving.app import create_app
from serving.settings import ServingSettings
from serving.access.settings import AccessSettings
create_app(ServingSettings(), AccessSettings())
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "azure"))])
"""


@pytest.fixture
def received() -> Iterator[Collector]:
    with collector() as received:
        yield received


@pytest.fixture
def traces(received: Collector) -> Iterator[Traces]:
    traces = open_traces(TracingSettings(otlp_endpoint=received.url, trace_rate=1), "api")
    yield traces
    traces.close()


def test_without_an_exporter_no_sdk_is_loaded() -> None:
    assert subprocess.check_output([sys.executable, "-c", IMPORTS], text=True).strip() == "[]"
    assert open_traces(TracingSettings(), "api") is NO_TRACES


def test_a_span_within_a_span_is_its_child(traces: Traces, received: Collector) -> None:
    with span(traces, "outer", Kind.SERVER, parent=PARENT), span(traces, "inner") as inner:
        inner.note({"copydesk.findings": 3})
        assert about().trace_parent == inner.trace_parent
    traces.close()
    (outer,), (child,) = received.named("outer"), received.named("inner")
    assert (outer.service, outer.trace_id, outer.parent) == ("copydesk-api", "ab" * 16, "cd" * 8)
    assert (child.trace_id, child.parent, child.attributes) == (outer.trace_id, outer.id, {"copydesk.findings": 3})


def test_an_error_is_told_by_its_kind_and_not_by_its_text(traces: Traces, received: Collector) -> None:
    with pytest.raises(ValueError, match="velociraptor"), span(traces, "work"):
        raise ValueError("the velociraptor of the article")
    traces.close()
    assert received.named("work")
    assert b"velociraptor" not in received.bodies[0]
    assert b"ValueError" in received.bodies[0]


@pytest.mark.parametrize(
    ("parent", "rate", "kept"), [(PARENT, 0.0, 1), (UNSAMPLED, 1.0, 0), ("", 0.0, 0), ("", 1.0, 1)]
)
def test_whoever_began_a_trace_decided_and_else_the_rate(
    received: Collector, parent: str, rate: float, kept: int
) -> None:
    traces = open_traces(TracingSettings(otlp_endpoint=received.url, trace_rate=rate), "api")
    traces.begin("work", parent=parent).end()
    traces.close()
    assert len(received.spans) == kept


def test_a_collector_that_is_away_holds_up_nobody() -> None:
    traces = open_traces(TracingSettings(otlp_endpoint="http://127.0.0.1:1", trace_rate=1), "api")
    traces.begin("work").end()
    traces.close()


def test_a_wrong_connection_string_is_named_and_not_shown() -> None:
    with pytest.raises(TracingUnusable, match="copy it from the Application Insights resource") as refused:
        open_traces(TracingSettings(azure_connection_string="hunter2"), "api")
    assert "hunter2" not in str(refused.value)


def test_azure_monitor_gets_them_where_its_connection_string_is_set(received: Collector) -> None:
    connection = f"InstrumentationKey={'0' * 8}-0000-0000-0000-{'1' * 12};IngestionEndpoint={received.url}"
    traces = open_traces(TracingSettings(azure_connection_string=connection, trace_rate=1), "worker")
    traces.begin("GET /readyz", Kind.SERVER).end()
    traces.close()
    (envelope,) = received.envelopes
    assert (envelope["data"]["baseData"]["name"], envelope["tags"]["ai.cloud.role"]) == (
        "GET /readyz",
        "copydesk-worker",
    )


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_one_trace_goes_from_the_request_to_the_run_in_mlflow(tmp_path: Path, received: Collector) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": received.url,
        "COPYDESK_TRACE_RATE": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with ScriptedModel({"attribution": [finds("experts say")]}) as model:
        environment |= {"COPYDESK_MODEL_URL": model.url}
        with service(tmp_path, environment=environment) as running:
            running.make_champion(pack(guideline(), prompt_guideline()), ModelSpec(deployment="m"))
            with running.api() as client:
                running.start_worker()
                id = submit(client)
                ended(client, id)
                (logged,) = eventually("its run is logged", lambda: received.named("complete the run in MLflow"))
    (request,) = received.named("POST /api/v1/compliance/check")
    (submitted,), (job,) = received.named("submit"), received.named("job")
    checks = [each for each in received.spans if each.parent == job.id]
    assert {each.trace_id for each in (request, submitted, job, logged, *checks)} == {request.trace_id}
    assert (submitted.parent, job.parent, logged.parent) == (request.id, submitted.id, submitted.id)
    assert (request.service, job.service) == ("copydesk-api", "copydesk-worker")
    assert request.attributes["http.route"] == "/api/v1/compliance/check"
    assert sorted(each.name for each in checks) == ["check attribution", "check plain-words"]
    judged = next(each for each in checks if each.name == "check attribution")
    assert (judged.attributes["copydesk.verdict"], judged.attributes["copydesk.findings"]) == ("findings", 1)
    assert judged.attributes["gen_ai.usage.input_tokens"] > 0
    assert job.begin - 0.1 <= judged.begin <= judged.end <= job.end
    assert not any(word in body for body in received.bodies for word in (b"utilise", b"experts say", b"Who says so"))
