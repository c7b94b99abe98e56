"""Versions as agents: what is loaded is at hand, and what it is stamped with stays with its jobs."""

import asyncio
from pathlib import Path

import pytest

from agent.check_cache import MemoryKeyValues
from agent.endpoint import Endpoint
from agent.settings import ModelSettings
from agent.spec import AgentSpec
from registry.aliases import promote
from registry.connection import Registry, connect
from registry.decisions import Record
from registry.errors import CodeMismatch
from registry.settings import RegistrySettings
from registry.trials import consent
from registry.version import CODE_TAG, MODEL_NAME
from registry.versions import register
from serving.adapters.mlflow_versions import MlflowVersions
from serving.app import utc_now
from serving.rollout import Rollout
from tests.agent.build import guideline, pack
from tests.registry.decided import decide
from tests.serving.build import agent, story
from tests.serving.rollouts import rollout

KNOWN = {"value": 0.9, "low": 0.8, "high": 0.95}
FIGURES = [{"guideline": "plain-words", "labelled": 40, "recall": KNOWN, "precision": KNOWN, "false_alarms": KNOWN}]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return connect(RegistrySettings(home=tmp_path / "mlflow"))


@pytest.fixture
def versions(registry: Registry) -> MlflowVersions:
    return MlflowVersions(registry, utc_now, endpoint=Endpoint(ModelSettings()), kept=MemoryKeyValues())


def champion_and_challenger(registry: Registry, *, champions_code: str = "") -> tuple[Record, Rollout]:
    """Version 1 is champion, version 2 may serve a share beside it."""
    register(registry, AgentSpec(pack=pack(guideline(title="One"))))
    if champions_code:
        registry.client.set_model_version_tag(MODEL_NAME, "1", CODE_TAG, champions_code)
    promote(registry, 1, force_reason="a test", who="ada")
    register(registry, AgentSpec(pack=pack(guideline(title="Two"))))
    record = decide(registry, 2, said={"figures": FIGURES, "challenger": {"run": "e2"}})
    return record, rollout(signed=consent(registry, 2, rollout="r", who="ada").model_dump_json())


async def test_a_loaded_agent_is_at_hand_while_another_one_is_loaded(versions: MlflowVersions) -> None:
    loaded = agent()
    versions._keep("1", loaded)
    async with versions._loading, asyncio.timeout(5):
        assert await versions.agent("1") is loaded


async def test_a_challenger_of_another_release_than_the_champions_is_served(
    registry: Registry, versions: MlflowVersions
) -> None:
    _, there = champion_and_challenger(registry, champions_code="f" * 64)
    with pytest.raises(CodeMismatch, match="version 1 was made with agent code ffffffffffff"):
        await versions.current()
    served = await versions.challenger(there)
    assert served
    assert (served.stamp.number, served.champion) == ("2", False)
    assert await versions.challenger(rollout(champion="3", signed=there.signed)) is None


async def test_a_challenger_tells_of_its_decision_and_of_no_promotion(
    registry: Registry, versions: MlflowVersions
) -> None:
    record, there = champion_and_challenger(registry)
    await versions.current()
    served = await versions.challenger(there)
    assert served
    assert served.evidence
    assert (served.evidence.statement, served.evidence.record) == (record.statement, record.id)
    assert (served.evidence.promotion, served.evidence.evaluation) == (None, "e2")
    assert [figures.guideline for figures in served.evidence.figures] == ["plain-words"]


async def test_a_job_keeps_the_stamp_it_began_under(registry: Registry, versions: MlflowVersions) -> None:
    record, there = champion_and_challenger(registry)
    await versions.current()
    await versions.challenger(there)
    running = await versions.agent("2")
    promote(registry, 2, who="ada")
    champion = await versions.current()
    begun, next_one = (await running.check(story())), (await (await versions.agent("2")).check(story()))
    assert champion
    assert begun.version.evidence.endswith("; serves a share, not promoted")
    assert next_one.version == champion.stamp
    assert next_one.version.evidence == record.statement.evidence
