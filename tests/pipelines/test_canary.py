"""`monitor canary`, as a scheduler runs it: a champion with a model, and what its deployment points at."""

import asyncio
import gc
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

import pipelines.canary
from agent.pack_files import default_pack, load_pack, write_pack
from evaluation.labels import write_labels
from pipelines.canary_settings import CanarySettings
from pipelines.gate import DEFAULT_POLICY
from registry.connection import connect
from registry.errors import RegistryError
from registry.evaluations import CANARIES, CANARY_ARTIFACT, FROZEN_FOR
from registry.settings import RegistrySettings
from registry.standing import standing
from serving.adapters.database import open_database
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.tables import locks
from serving.evidence import Evidence, measured_of
from serving.ports.versions import ServedVersion
from serving.settings import ServingSettings
from tests.evaluation.build import labelled, labelled_set
from tests.pipelines.terminal import Ran, Run
from tests.scripted_model import ScriptedModel, finds
from tests.serving.service import free_port

# On a busy machine the model's HTTP client leaves a connection behind when its event loop ends; each command is a
# process of its own outside of tests.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

RULE = "attribution-of-claims"
REST = "The council met and the road was opened. " * 70


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    """What is left is collected here, not in another test."""
    yield
    gc.collect()


@pytest.fixture
def model(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    with ScriptedModel({RULE: lambda question: finds("Experts say")}) as model:
        monkeypatch.setenv("COPYDESK_MODEL_URL", model.url)
        yield model
    gc.collect()


@pytest.fixture
def claims(run: Run) -> Path:
    """Thirty articles, each with a claim."""
    articles = [
        labelled(f"Experts say page {n} is wet. {REST}".strip(), (RULE, "Experts say"), id=f"a{n}") for n in range(30)
    ]
    write_labels(labelled_set(*articles, name="claims"), Path("claims.jsonl"))
    house = default_pack()
    write_pack(house.model_copy(update={"name": "claims", "guidelines": (house.by_id[RULE],)}), Path("packs/claims"))
    return Path("claims.jsonl")


@pytest.fixture
def canary(run: Run, claims: Path) -> Run:
    return lambda *arguments: run("monitor", "canary", "--set", str(claims), *arguments)


@pytest.fixture
def promoted(run: Run, model: ScriptedModel, claims: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A champion that was evaluated with the model, and that a worker serves."""
    values = yaml.safe_load(DEFAULT_POLICY.read_text())
    margins = {**values["margins"], "critical": {"recall": 0.1, "false_alarms": 0.5}}
    policy = values | {"guidelines": {RULE: "critical"}, "margins": margins, "resamples": 500, "p95_ratio": None}
    Path("policy.yaml").write_text(yaml.safe_dump(policy))
    monkeypatch.setenv("COPYDESK_POLICY", "policy.yaml")
    run("register", "--pack", "packs/claims", "--model", "gpt-test")
    decided = run("gate", "--set", str(claims))
    assert decided.code == 0, decided.out + decided.err
    assert run("promote", "1").code == 0
    asyncio.run(_serve())


async def _serve() -> None:
    """What a worker says of the champion it took."""
    champion = standing(connect(RegistrySettings(home=Path("home")))).champion
    assert champion
    measured = measured_of(champion.decision)
    evidence = Evidence(
        record=champion.signed_record.id,
        signer=champion.signed_record.key,
        statement=champion.statement,
        promotion=champion.promotion,
        **dict(measured),
    )
    pack = load_pack(Path("packs/claims"))
    now = datetime.now(UTC)
    database = await open_database(ServingSettings().database_url)
    served = ServedVersion(champion.version.stamp, pack, champion=True, served=now, evidence=evidence)
    await SqlServedVersions(database).put(served)
    await database.close()


def last_run() -> dict[str, float]:
    client = connect(RegistrySettings(home=Path("home"))).client
    experiment = client.get_experiment_by_name(CANARIES)
    assert experiment
    return dict(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])[0].data.metrics)


def test_a_model_that_says_the_same_is_0(promoted: None, canary: Run, model: ScriptedModel):
    before = len(model.calls)
    result = canary()
    assert (result.code, "SAME" in result.out, "20 canaries frozen" in result.out) == (0, True, True), result.err
    assert len(model.calls) - before == 20  # asked anew, whatever is kept
    logged = last_run()
    assert (logged["agreement"], logged["findings_both"], logged["checks"], logged["checks_failed"]) == (1, 20, 20, 0)
    assert logged["agreement_low"] == pytest.approx(0.8389, abs=1e-3)
    assert "frozen, digest" not in canary().out


def test_a_model_that_says_something_else_is_1_and_the_evidence_expires(
    run: Run, promoted: None, canary: Run, model: ScriptedModel
):
    canary()
    model.script = {RULE: lambda question: finds("council")}
    result = canary()
    assert (result.code, "CHANGED" in result.out) == (1, True)
    assert "The evidence of version 1 has expired." in result.out
    assert last_run()["findings_gone"] == 20
    shown = " ".join(run("versions").out.split())
    assert "EXPIRED since" in shown
    assert "0% of 40" in shown
    assert "had expired before" in canary().out


def test_a_deployment_that_points_at_another_model_is_1(promoted: None, canary: Run, model: ScriptedModel):
    model.release = "-2026-09-09"
    result = canary()
    assert result.code == 1
    assert "gpt-test-2026-09-09 (fp_scripted) answered, evaluated was gpt-test-2026-01-01 (fp_scripted)" in result.out


def test_another_fingerprint_alone_is_told_and_is_0(promoted: None, canary: Run, model: ScriptedModel):
    model.fingerprint = "fp_other"
    result = canary()
    assert (result.code, "gpt-test-2026-01-01 (fp_other) answered" in result.out) == (0, True)


def test_too_little_to_tell_is_3(promoted: None, canary: Run):
    result = canary("--articles", "3")
    assert (result.code, "UNCLEAR" in result.out) == (3, True)


def test_evidence_is_renewed_by_a_decision_between_then_and_now(
    run: Run, promoted: None, canary: Run, claims: Path, model: ScriptedModel
):
    model.release = "-2026-09-09"
    assert canary().code == 1
    then = json.loads(run("promotions", "--json").out)[0]
    assert then["kind"] == "first"
    before = _evaluation()
    now = next(
        line.split()[2]
        for line in run("evaluate", "--set", str(claims), "--version", "1").out.splitlines()
        if line.startswith("MLflow run ")
    )
    decided = run("gate", "--champion", before, "--challenger", now)
    assert decided.code == 0, decided.out + decided.err
    assert run("promote", "1").code == 0
    asyncio.run(_serve())
    assert "EXPIRED" not in run("versions").out
    assert canary().code == 0


def _evaluation() -> str:
    champion = standing(connect(RegistrySettings(home=Path("home")))).champion
    assert champion
    return measured_of(champion.decision).evaluation


def test_a_forced_champion_is_held_to_what_it_says_first(run: Run, canary: Run, model: ScriptedModel):
    run("register", "--pack", "packs/claims", "--model", "gpt-test")
    run("promote", "1", "--force", "first start")
    first = canary()
    assert (first.code, "was never evaluated" in first.out) == (0, True), first.err
    assert canary().code == 0
    model.script = {RULE: lambda question: finds("council")}
    assert canary().code == 1


def test_without_a_model_nothing_can_drift(run: Run, canary: Run):
    run("register", "--pack", "packs/claims")
    run("promote", "1", "--force", "first start")
    result = canary()
    assert (result.code, "nothing can drift" in result.out) == (0, True)


def test_altered_canaries_are_refused(promoted: None, canary: Run):
    canary()
    client = connect(RegistrySettings(home=Path("home"))).client
    experiment = client.get_experiment_by_name(CANARIES)
    assert experiment
    (frozen,) = [
        run
        for run in client.search_runs([experiment.experiment_id], f"tags.{FROZEN_FOR} != ''")
        if FROZEN_FOR in run.data.tags
    ]
    client.log_text(frozen.info.run_id, "", CANARY_ARTIFACT)
    refused = canary()
    assert (refused.code, "somebody changed them" in said(refused)) == (2, True)


def test_another_version_of_the_set_is_refused(promoted: None, canary: Run, claims: Path):
    lines = claims.read_text().splitlines()
    claims.write_text("\n".join(lines[:-1]) + "\n")
    refused = canary()
    assert (refused.code, "name that set with --set and --split" in said(refused)) == (2, True)


def test_without_a_champion_it_says_what_to_do(canary: Run):
    refused = canary()
    assert (refused.code, "`copydesk promote` makes one" in said(refused)) == (2, True)


def said(result: Ran) -> str:
    return " ".join(result.err.split())


def test_the_periodic_work_asks_once_a_day_and_fails_where_the_model_changed(
    run: Run, promoted: None, claims: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COPYDESK_CANARY_SET", str(claims))
    before, model.traffic.most_in_flight = len(model.calls), 0
    first, second = run("tick"), run("tick")
    assert model.traffic.most_in_flight == 1  # editors ask the same model
    assert (first.code, "Looked: version 1 is SAME, canaries: 100% of 20 findings" in first.out) == (0, True), first.out
    assert (second.code, "Looked" in second.out, len(model.calls) - before) == (0, False, 20)
    model.script = {RULE: lambda question: finds("council")}
    asyncio.run(_a_day_later())
    third = run("tick")
    assert (third.code, "Looked: version 1 is CHANGED, canaries: 0% of 40 findings" in third.out) == (1, True), (
        third.out
    )
    assert "EXPIRED since" in " ".join(run("versions").out.split())


async def _a_day_later() -> None:
    database = await open_database(ServingSettings().database_url)
    async with database.write() as connection:
        await connection.execute(locks.delete().where(locks.c.name == "monitor:canary"))
    await database.close()


def test_the_periodic_work_asks_again_soon_where_the_model_did_not_answer(
    run: Run, promoted: None, claims: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COPYDESK_CANARY_SET", str(claims))
    monkeypatch.setenv("COPYDESK_MODEL_URL", f"http://127.0.0.1:{free_port()}/v1/")
    monkeypatch.setenv("COPYDESK_MODEL_ATTEMPTS", "1")
    result = run("tick")
    assert (result.code, "Looked: version 1 is UNCLEAR, canaries: none of 0 findings" in result.out) == (0, True)
    assert "; 20 of 20 checks failed" in result.out
    assert asyncio.run(_rest()) < timedelta(hours=1, minutes=1)


async def _rest() -> timedelta:
    database = await open_database(ServingSettings().database_url)
    async with database.read() as connection:
        until: datetime | None = await connection.scalar(select(locks.c.until).where(locks.c.name == "monitor:canary"))
    await database.close()
    assert until
    return until - datetime.now(UTC)


def test_the_periodic_work_without_a_champion_waits_for_one(run: Run, claims: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COPYDESK_CANARY_SET", str(claims))
    result = run("tick")
    assert (result.code, "Looked: there is no verified champion" in result.out) == (0, True)


def test_a_set_that_can_not_be_read_is_put_off_by_name(
    run: Run, promoted: None, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COPYDESK_CANARY_SET", "nowhere")
    before = len(model.calls)
    first, second = run("tick"), run("tick")
    assert (first.code, "Put off: the monitor canary: " in first.out, "nowhere" in first.out) == (1, True, True)
    assert (second.code, "canary" in second.out, len(model.calls) - before) == (0, False, 0)


def test_an_empty_variable_names_no_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COPYDESK_CANARY_SET", "")
    assert CanarySettings().set is None


def test_a_score_that_can_not_be_logged_still_counts(
    run: Run, promoted: None, claims: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COPYDESK_CANARY_SET", str(claims))
    run("monitor", "canary")  # freezes them
    model.script = {RULE: lambda question: finds("council")}

    def refused(*_: object) -> str:
        raise RegistryError("MLflow refused")

    monkeypatch.setattr(pipelines.canary, "log_run", refused)
    result = run("tick")
    assert (result.code, "0% of 40 findings" in result.out) == (1, True)
    assert "not logged: MLflow refused; its evidence has expired" in result.out
    assert "EXPIRED since" in " ".join(run("versions").out.split())
