"""Rollouts and shadows, as an engineer commands them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import pytest

from agent.spec import AgentSpec
from agent.stored_article import dump_article
from pipelines.gate import policy_of
from pipelines.rollouts import WrongTerms, read_terms
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from registry.version import CODE_TAG, MODEL_NAME
from serving.adapters.blob_stores import open_blobs
from serving.adapters.sql_rollouts import SqlRollouts
from serving.adapters.sql_shadows import SqlShadows
from serving.adapters.stores import open_stores
from serving.rollout import Rollout, RolloutPolicy
from serving.settings import ServingSettings
from serving.shadow import Compared, Place
from tests.agent.build import guideline, pack
from tests.pipelines.terminal import Run
from tests.registry.decided import champion_by_force, decide
from tests.serving.build import story, submission


@pytest.fixture
def registry(run: Run) -> Registry:
    """Version 1 is champion, version 2 is registered."""
    found = connect(RegistrySettings())
    champion_by_force(found, *(AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two")))
    return found


def test_a_rollout_from_its_start_to_its_abort(run: Run, registry: Registry) -> None:
    assert "Nothing was rolled out yet" in run("rollout", "status").out
    assert run("rollout", "start", "2").code == 2
    decide(registry, 2, policy=policy_of(None).digest)
    started = run("rollout", "start", "2")
    assert (started.code, "Version 2 gets 10% of the articles beside version 1" in started.out) == (0, True)
    assert "another challenger is being rolled out" in run("rollout", "start", "2").err
    assert "no worker serves it yet" in run("rollout", "status").out
    assert "is held, version 2 gets 10% of the articles: lunch" in run("rollout", "hold", "--reason", "lunch").out
    assert "is held and can't become held" in run("rollout", "hold").err
    assert "is running, version 2 gets 10%" in run("rollout", "resume").out
    assert "is aborted, version 2 gets 0% of the articles: too strict" in (
        run("rollout", "abort", "--reason", "too strict").out
    )
    assert "version 2 aborted: too strict" in run("rollout", "status").out
    assert "nothing is being rolled out" in run("rollout", "abort").err


def test_a_stage_is_dated_by_the_clock_of_the_store(
    run: Run, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=1)

    monkeypatch.setattr("pipelines.rollouts.datetime", Ahead)
    decide(registry, 2, policy=policy_of(None).digest)
    for arguments in (("start", "2"), ("hold",), ("resume",)):
        assert run("rollout", *arguments).code == 0
    there = asyncio.run(active())
    assert there
    assert there.started < there.staged <= datetime.now(UTC)


async def active() -> Rollout | None:
    async with open_stores(ServingSettings()) as stores:
        return await SqlRollouts(stores.database).active()


@pytest.mark.parametrize(("outcome", "code"), [("BLOCK", 1), ("INCONCLUSIVE", 3)])
def test_a_decision_against_it_starts_nothing(run: Run, registry: Registry, outcome: str, code: int) -> None:
    decide(registry, 2, outcome=outcome, policy=policy_of(None).digest)
    refused = run("rollout", "start", "2")
    assert (refused.code, f"says {outcome} of version 2" in refused.out) == (code, True)


def test_terms_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "terms.yaml"
    file.write_text("shares: [0.2, 1.0]\nfailed_checks: {margin: 0.02, most: 0.3}\n")
    terms = read_terms(file)
    assert (terms.shares, terms.failed_checks.most, read_terms(None)) == ((0.2, 1.0), 0.3, RolloutPolicy())
    file.write_text("shares: [0.2]")
    with pytest.raises(WrongTerms, match=r"terms.yaml: it is wrong: Value error, shares must grow to 1"):
        read_terms(file)
    file.write_text("lest_jobs: 3")
    with pytest.raises(WrongTerms, match="lest_jobs is wrong: Extra inputs"):
        read_terms(file)


def test_a_shadow_and_what_it_showed(run: Run, registry: Registry) -> None:
    assert "no version has checked in the shadow yet" in run("shadow", "report").err
    assert "name one of --budget and --checks-a-day" in run("shadow", "start", "2").err
    assert "version 1 is the champion" in run("shadow", "start", "1", "--checks-a-day", "5").err
    assert run("shadow", "start", "2", "--share", "0.2", "--checks-a-day", "50").code == 0
    asyncio.run(compare(12))
    reported = run("shadow", "report")
    assert "12 compared, 0 waiting" in reported.out
    assert "yes, e = " in reported.out
    assert "It finds less than the champion" in reported.out
    assert "Disagreements to review: 12" in reported.out
    assert "We [utilise] experts." in reported.out
    told = json.loads(run("shadow", "report", "--json").out)
    assert (told["overall"]["articles_less"], told["overall"]["finds_less"]) == (12, True)
    assert {one["sentence"] for one in told["disagreements"]} == {"We utilise experts."}
    assert "checks no more in the shadow" in run("shadow", "stop").out
    assert "no version checks in the shadow" in run("shadow", "stop").err


def test_a_shadow_of_other_code_says_who_can_check_it(run: Run, registry: Registry) -> None:
    registry.client.set_model_version_tag(MODEL_NAME, "2", CODE_TAG, "0" * 64)
    started = run("shadow", "start", "2", "--checks-a-day", "5")
    assert (started.code, "only a worker of its release can check it" in started.out) == (0, True)


async def compare(articles: int) -> None:
    """On each of so many articles the challenger misses a finding."""
    now = datetime.now(UTC)
    settings = ServingSettings()
    async with open_stores(settings) as stores, open_blobs(settings) as blobs:
        shadows, blob = SqlShadows(stores.database), await blobs.put(dump_article(story()))
        shadow = await shadows.active()
        assert shadow
        for number in range(articles):
            job = await stores.jobs.add(submission(f"j{number}", blob=blob))
            await shadows.offer(shadow, str(number), job, now)
            found = [Compared("plain-words", 1, (Place(f"f{number}", 3, 10),))]
            await shadows.compared(shadow, job, found, now)
