import re
from pathlib import Path

import pytest

from serving.metrics import NAMES, ApiMetrics, Metrics, Named, WorkerMetrics, described
from serving.ports.jobs import Backlog
from tests.serving.build import judged_report, report

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def told(metrics: Metrics) -> str:
    return metrics.text().decode()


def full(service: str) -> Metrics:
    """With something in each of them."""
    if service == "worker":
        return WorkerMetrics()
    metrics = ApiMetrics()
    metrics.installation.backlog = Backlog(1, 2.0, 3, 4, 5, 6.0, 1, ("7",))
    return metrics


@pytest.mark.parametrize("named", NAMES, ids=lambda named: named.name)
def test_each_is_told_by_the_processes_that_are_said_to(named: Named) -> None:
    family = named.name.removesuffix("_total") if named.kind == "counter" else named.name
    for service in ("api", "worker"):
        types = re.findall(r"# TYPE (\S+) (\S+)", told(full(service)))
        found = (family, named.kind) in types or (named.name, named.kind) in types
        assert found == (service in named.told_by), service


def test_the_page_for_operators_lists_exactly_these() -> None:
    assert described() in OPERATIONS.read_text("utf-8")


def test_no_label_can_name_a_person_a_job_or_a_text() -> None:
    labels = {label for named in NAMES for label in named.labels}
    assert labels == {
        "service", "route", "method", "status", "dependency", "outcome", "reason", "guideline", "kind", "severity",
        "direction", "model", "cache", "result", "state", "monitor", "verdict",
    }  # fmt: skip


async def test_a_report_is_told_by_guideline_kind_and_model() -> None:
    metrics = WorkerMetrics()
    metrics.reported(await judged_report())
    text = told(metrics)
    assert 'compliance_guideline_duration_seconds_count{guideline="plain-words",kind="model"} 1.0' in text
    assert 'compliance_findings_total{guideline="plain-words",severity="advice"} 1.0' in text
    tokens = dict(re.findall(r'compliance_llm_tokens_total\{direction="(\w+)",model="m-1"\} (\S+)', text))
    assert tokens == {"input": "900.0", "output": "40.0", "cached": "600.0"}


async def test_patterns_cost_no_tokens() -> None:
    metrics = WorkerMetrics()
    metrics.reported(await report())
    assert 'compliance_guideline_duration_seconds_count{guideline="plain-words",kind="pattern"} 1.0' in told(metrics)
    assert "compliance_llm_tokens_total{" not in told(metrics)


def test_each_process_has_its_own() -> None:
    first, second = ApiMetrics(), ApiMetrics()
    first.answered("/readyz", "GET", 200, 0.004)
    assert 'status="200"} 1.0' in told(first)
    assert 'status="200"' not in told(second)


def test_the_pool_is_read_when_it_is_scraped() -> None:
    metrics, connections = WorkerMetrics(), [3, 1]
    metrics.follow_pool(lambda: (connections[0], connections[1]))
    connections[0] = 4
    assert 'compliance_db_pool_connections{state="used"} 4.0' in told(metrics)
    assert 'compliance_db_pool_connections{state="idle"} 1.0' in told(metrics)
