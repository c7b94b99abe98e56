"""Versions as agents: what is loaded is at hand, and what no record lets serve checks no article."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from agent.check_cache import MemoryKeyValues
from agent.endpoint import Endpoint
from agent.http_transport import HttpTransport
from agent.settings import ModelSettings
from agent.spec import AgentSpec, ModelSpec
from registry.aliases import promote
from registry.connection import Registry, connect
from registry.decisions import Record
from registry.errors import CodeMismatch, DigestMismatch, NotTrusted, RegistryUnreachable, UnknownVersion
from registry.settings import RegistrySettings
from registry.trials import consent
from registry.version import CODE_TAG, MODEL_NAME
from registry.versions import register
from serving.adapters.mlflow_versions import MlflowVersions
from serving.app import utc_now
from serving.rollout import Rollout
from serving.rulings import GateDecision
from tests.agent.build import guideline, pack, prompt_guideline
from tests.embedded import with_mlflow
from tests.registry.decided import champion_by_force, decide
from tests.registry.meanwhile import failing
from tests.serving.build import agent, story
from tests.serving.rollouts import POLICY, rollout

KNOWN = {"value": 0.9, "low": 0.8, "high": 0.95}
FIGURES = [{"guideline": "plain-words", "labelled": 40, "recall": KNOWN, "precision": KNOWN, "false_alarms": KNOWN}]

DOWN = MlflowException("API request to http://mlflow.example failed")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Version 1 is champion, version 2 is registered."""
    found = connect(RegistrySettings(home=with_mlflow(tmp_path / "mlflow")))
    champion_by_force(found, *(AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two")))
    return found


def versions_of(registry: Registry) -> MlflowVersions:
    return MlflowVersions(registry, utc_now, endpoint=Endpoint(ModelSettings()), kept=MemoryKeyValues())


@pytest.fixture
def fresh(tmp_path: Path) -> Registry:
    """Nothing is registered."""
    return connect(RegistrySettings(home=with_mlflow(tmp_path / "mlflow")))


@pytest.fixture
def versions(fresh: Registry) -> MlflowVersions:
    return versions_of(fresh)


def champion_and_challenger(registry: Registry, *, champions_code: str = "") -> tuple[Record, Rollout]:
    """Version 1 is champion, version 2 may serve a share beside it."""
    register(registry, AgentSpec(pack=pack(guideline(title="One"))))
    if champions_code:
        registry.client.set_model_version_tag(MODEL_NAME, "1", CODE_TAG, champions_code)
    promote(registry, 1, force_reason="a test", who="ada")
    register(registry, AgentSpec(pack=pack(guideline(title="Two"))))
    record = decide(registry, 2, said={"figures": FIGURES, "challenger": {"run": "e2"}})
    signed = consent(registry, 2, rollout="r", terms=POLICY.digest, who="ada")
    return record, rollout(signed=signed.model_dump_json())


async def test_a_loaded_agent_is_at_hand_while_another_one_is_loaded(versions: MlflowVersions) -> None:
    loaded = agent()
    versions._keep("1", loaded)
    async with versions._loading, asyncio.timeout(5):
        assert await versions.agent("1") is loaded


async def test_a_challenger_of_another_release_than_the_champions_is_served(
    fresh: Registry, versions: MlflowVersions
) -> None:
    _, there = champion_and_challenger(fresh, champions_code="f" * 64)
    with pytest.raises(CodeMismatch, match="version 1 was made with agent code ffffffffffff"):
        await versions.current()
    served = await versions.challenger(there)
    assert served
    assert (served.stamp.number, served.champion) == ("2", False)
    assert await versions.challenger(rollout(champion="3", signed=there.signed)) is None


async def test_a_challenger_tells_of_its_decision_and_of_no_promotion(
    fresh: Registry, versions: MlflowVersions
) -> None:
    record, there = champion_and_challenger(fresh)
    await versions.current()
    served = await versions.challenger(there)
    assert served
    assert served.evidence
    assert (served.evidence.statement, served.evidence.record) == (record.statement, record.id)
    assert (served.evidence.promotion, served.evidence.evaluation) == (None, "e2")
    assert [figures.guideline for figures in served.evidence.figures] == ["plain-words"]
    assert served.decision == GateDecision(outcome="PROMOTE", against=None)


async def test_rulings_that_cannot_be_read_leave_figures_and_the_version_as_they_are(
    fresh: Registry, versions: MlflowVersions, caplog: pytest.LogCaptureFixture
) -> None:
    register(fresh, AgentSpec(pack=pack()))
    decide(fresh, 1, said={"figures": FIGURES, "rulings": [{"name": "of another release"}]})
    promote(fresh, 1, who="ada")
    served = await versions.current()
    assert served
    assert served.evidence
    assert ([figures.guideline for figures in served.evidence.figures], served.decision) == (["plain-words"], None)
    assert "version 1: the decision's rulings can't be read" in caplog.text


async def test_a_job_keeps_the_stamp_it_began_under(fresh: Registry, versions: MlflowVersions) -> None:
    record, there = champion_and_challenger(fresh)
    await versions.current()
    await versions.challenger(there)
    running = await versions.agent("2")
    promote(fresh, 2, who="ada")
    champion = await versions.current()
    begun, next_one = (await running.check(story())), (await (await versions.agent("2")).check(story()))
    assert champion
    assert begun.version.evidence.endswith("; serves a share, not promoted")
    assert next_one.version == champion.stamp
    assert next_one.version.evidence == record.statement.evidence


async def test_a_job_gets_no_version_that_no_record_lets_serve(registry: Registry) -> None:
    versions = versions_of(registry)
    told = "version 2 may check no article: version 2 was never champion by a record that holds.*has no gate decision"
    assert (await versions.unseen("2")).stamp.number == "2"
    with pytest.raises(NotTrusted, match=told):
        await versions.agent("2")
    with pytest.raises(UnknownVersion, match="this one 'champion'"):
        await versions.agent("champion")
    decide(registry, 2, "BLOCK")
    with pytest.raises(NotTrusted, match="says BLOCK of version 2"):
        await versions.agent("2")
    decide(registry, 2)
    assert (await versions.agent("2")).stamp.evidence.endswith("serves a share, not promoted")


@pytest.mark.parametrize(
    "load",
    [MlflowVersions.current, lambda versions: versions.agent("1"), lambda versions: versions.unseen("1")],
    ids=["the champion", "of a job", "in the shadow"],
)
async def test_the_models_client_is_made_beside_the_loop_and_before_it_asks(
    fresh: Registry, monkeypatch: pytest.MonkeyPatch, load: Callable[[MlflowVersions], Awaitable[object]]
) -> None:
    makers: list[threading.Thread] = []

    class Watched(HttpTransport):
        def __init__(self, settings: ModelSettings) -> None:
            makers.append(threading.current_thread())
            super().__init__(settings)

    monkeypatch.setattr("agent.http_transport.HttpTransport", Watched)
    champion_by_force(fresh, AgentSpec(pack=pack(prompt_guideline()), model=ModelSpec(deployment="m")))
    endpoint = Endpoint(ModelSettings(url="http://127.0.0.1:1/v1/"))
    await load(MlflowVersions(fresh, utc_now, endpoint=endpoint, kept=MemoryKeyValues()))
    assert makers
    assert threading.main_thread() not in makers
    await endpoint.close()


async def test_no_client_is_made_for_a_version_that_asks_no_model(registry: Registry) -> None:
    endpoint = Endpoint(ModelSettings(url="http://127.0.0.1:1/v1/"))
    await MlflowVersions(registry, utc_now, endpoint=endpoint, kept=MemoryKeyValues()).current()
    assert "transport" not in vars(endpoint)


async def test_jobs_of_a_former_champion_are_checked_also_while_mlflow_is_down(registry: Registry) -> None:
    promote(registry, 2, force_reason="in a hurry", who="ada")
    before = await versions_of(registry).agent("1")
    assert before.stamp.evidence == "forced: a test"
    down = versions_of(failing(failing(registry, "get_registered_model", DOWN), "get_model_version", DOWN))
    assert (await down.agent("1")).stamp == before.stamp
    with pytest.raises(RegistryUnreachable):
        await down.agent("2")


@pytest.mark.parametrize("content", ['{"pack": 1}', None])
async def test_a_champion_whose_snapshot_was_changed_is_refused(registry: Registry, content: str | None) -> None:
    for stored in registry.settings.home.rglob("spec.json"):
        stored.write_text(content or stored.read_text().replace("One", "Won"))
    versions = versions_of(registry)
    with pytest.raises(DigestMismatch, match="somebody changed it, so register the pack anew"):
        await versions.current()
    assert "somebody changed it" in versions.refusal
