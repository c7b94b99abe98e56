import logging
from typing import Any

import pytest

from agent.check_cache import CheckCache, KeptFinding, KeptVerdict, MemoryKeyValues
from agent.spec import AgentOptions, AgentSpec, ModelSpec
from agent.units import Units
from tests.agent.build import article, pack, prompt_guideline

SPEC = AgentSpec(pack=pack(), model=ModelSpec(deployment="m"))
VERDICT = KeptVerdict(
    findings=(KeptFinding(paragraph=0, start=0, end=4, explanation="e", suggestion="s"),), unanchored=1
)


async def test_verdicts_come_back_as_they_were_put():
    cache = CheckCache(MemoryKeyValues(), SPEC)
    await cache.put({"one": VERDICT, "two": KeptVerdict()})
    assert await cache.get(["one", "two", "three"]) == {"one": VERDICT, "two": KeptVerdict()}


async def test_one_that_cannot_be_read_is_made_again(caplog: pytest.LogCaptureFixture):
    store = MemoryKeyValues()
    await store.put({"one": b'{"findings": 7}'})
    with caplog.at_level(logging.WARNING):
        assert await CheckCache(store, SPEC).get(["one"]) == {}
    assert "the kept check one can't be read" in caplog.text


async def test_memory_keeps_what_was_used_last():
    store = MemoryKeyValues(most=2)
    await store.put({"one": b"1", "two": b"2"})
    await store.get(["one"])
    await store.put({"three": b"3"})
    assert await store.get(["one", "two", "three"]) == {"one": b"1", "three": b"3"}


def key(spec: AgentSpec = SPEC, guideline: dict[str, Any] | None = None) -> str:
    units = Units(article("One."))
    rule = prompt_guideline(**(guideline or {}))
    return CheckCache(MemoryKeyValues(), spec).keys(rule, units)[units.of(rule)[0]]


@pytest.mark.parametrize(
    "update",
    [
        {"model": ModelSpec(deployment="other")},
        {"model": ModelSpec(deployment="m", seed=8)},
        {"options": AgentOptions(answer_language="de")},
        {"options": AgentOptions(checks_per_call=2)},
        {"options": AgentOptions(article_tokens=1000)},
        {"answer_schema": "other"},
        {"code": "other"},
    ],
)
def test_the_key_holds_what_a_verdict_depends_on(update: dict[str, object]):
    assert key(SPEC.model_copy(update=update)) != key()


@pytest.mark.parametrize("fields", [{"instruction": "Other."}, {"id": "other"}, {"scope": "sentence"}])
def test_and_of_a_guideline_what_a_model_is_told(fields: dict[str, Any]):
    assert key(guideline=fields) != key()


@pytest.mark.parametrize("fields", [{"severity": "breach"}, {"category": "other"}, {"guidance": "Other."}])
def test_and_not_what_is_only_shown(fields: dict[str, Any]):
    assert key(guideline=fields) == key()
