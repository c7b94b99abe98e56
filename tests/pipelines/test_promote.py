"""From a decision to a champion and back, as an engineer does it."""

import json
import stat
from pathlib import Path

import pytest

from registry import aliases
from registry.connection import connect
from registry.decisions import find_decision
from registry.settings import RegistrySettings
from registry.signatures import public_keys
from registry.standing import standing
from registry.version import CHAMPION, MODEL_NAME
from serving.evidence import measured_of
from tests.pipelines.terminal import Ran, Run
from tests.registry.meanwhile import TwoHoursAhead
from tests.serving.service import Service
from tests.signing import key_file

SECRET = "s" * 32


def text(out: str) -> str:
    return " ".join(out.split())


def decision(result: Ran) -> str:
    return next(line.split()[1] for line in result.out.splitlines() if line.startswith("Decision ") and " in " in line)


@pytest.fixture
def gate(run: Run, labels: Path, policy: Path, packs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Decides about a version, by the policy of this house."""
    monkeypatch.setenv("COPYDESK_POLICY", str(policy))
    run("register", "--pack", str(packs[0]))
    return lambda *arguments: run("gate", "--set", str(labels), *arguments)


def test_from_a_decision_to_a_champion_and_back(run: Run, gate: Run, labels: Path, packs: tuple[Path, Path]):
    first = gate()
    assert (first.code, "Signed as record" in first.out) == (0, True), first.err
    promoted = run("promote", "1", "--set", str(labels))
    assert promoted.code == 0, promoted.err
    assert "gate: PROMOTE, the first champion, held to the floors on plain, test" in promoted.out

    run("register", "--pack", str(packs[1]))
    assert gate().code == 1
    refused = run("promote", "2")
    assert (refused.code, "says BLOCK of version 2" in refused.out) == (1, True)
    assert (
        "ungated: no evaluation stands behind it. forced: in a hurry"
        in run("promote", "2", "--force", "in a hurry").out
    )
    assert "forced: in a hurry" in run("versions").out
    back = run("rollback", "--reason", "it misses words")
    assert (back.code, "Version 1 is champion; before it was version 2" in back.out) == (0, True)

    moves = json.loads(run("promotions", "--json").out)
    assert [(m["kind"], m["previous"], m["number"], m["fault"]) for m in moves] == [
        ("rollback", 2, 1, ""),
        ("forced", 1, 2, ""),
        ("first", None, 1, ""),
    ]
    table = run("promotions").out
    assert ("it misses words" in table, "this machine" in table) == (True, True)


def test_a_workers_copy_of_the_decision_has_the_published_figures(run: Run, gate: Run):
    gate()
    run("promote", "1")
    there = standing(connect(RegistrySettings(home=Path("home"))))
    assert there.champion is not None
    measured = measured_of(there.champion.decision)
    (figures,) = measured.figures
    assert (len(measured.evaluation), measured.answered_by) == (32, ())
    assert (figures.guideline, figures.labelled, figures.recall.value) == ("plain-words", 60, 1)
    assert figures.recall.low == pytest.approx(0.9374, abs=1e-3)


def test_the_gate_holds_a_version_against_the_champion_of_the_records_whatever_the_alias_says(
    run: Run, gate: Run, packs: tuple[Path, Path]
):
    gate()
    run("promote", "1")
    run("register", "--pack", str(packs[1]))
    registry = connect(RegistrySettings(home=Path("home")))
    registry.client.set_registered_model_alias(MODEL_NAME, CHAMPION, "2")
    result = gate()
    assert "Workers refuse what the registry says: the alias names version 2" in text(result.out)
    assert find_decision(registry, 2).statement.champion == 1


def test_a_clock_that_is_wrong_is_said(run: Run, gate: Run, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as ahead:
        ahead.setattr(aliases, "datetime", TwoHoursAhead)
        run("promote", "1", "--force", "in a hurry")
    again = run("promote", "1", "--force", "once more")
    assert (again.code, "120 minutes ahead of this machine's clock" in text(again.out)) == (0, True)


def test_a_decision_by_another_policy_does_not_promote(run: Run, gate: Run, monkeypatch: pytest.MonkeyPatch):
    gate()
    monkeypatch.delenv("COPYDESK_POLICY")
    result = run("promote", "1")
    assert (result.code, "was made by policy" in text(result.err)) == (2, True)


def test_a_decision_about_files_is_not_signed(run: Run, labels: Path, packs: tuple[Path, Path], policy: Path):
    evaluated = run("evaluate", "--set", str(labels), "--pack", str(packs[0]))
    id = next(line.split()[2] for line in evaluated.out.splitlines() if line.startswith("MLflow run "))
    result = run("gate", "--challenger", id, "--policy", str(policy))
    assert (result.code, "Not signed, as this version isn't registered" in text(result.out)) == (0, True)


def test_signing_keys_are_made_and_shown(run: Run, monkeypatch: pytest.MonkeyPatch):
    made = run("signing", "new", "--out", "ada.pem", "--name", "Ada")
    (key,) = public_keys(made.out)
    assert (key.name, stat.S_IMODE(Path("ada.pem").stat().st_mode)) == ("Ada", 0o600)
    again = run("signing", "new", "--out", "ada.pem")
    assert (again.code, "is there already" in text(again.err)) == (2, True)
    monkeypatch.setenv("COPYDESK_SIGNING_KEY", "ada.pem")
    monkeypatch.setenv("COPYDESK_TRUSTED_KEYS", made.out)
    assert f"signs    {key.id}" in run("signing", "show").out


@pytest.fixture
def signed_in(gate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A service that asks people who they are; two must stand behind a promotion, and each has a key."""
    lines = [key_file(tmp_path / f"{name}.pem", name).line for name in ("ada", "bob")]
    monkeypatch.setenv("COPYDESK_TRUSTED_KEYS", ",".join(lines))
    monkeypatch.setenv("COPYDESK_APPROVALS", "2")
    running = Service(home=tmp_path / "home", environment={"JWT_SECRET_KEY": SECRET})
    monkeypatch.setenv("COPYDESK_URL", f"http://127.0.0.1:{running.port}")
    try:
        with running.api():
            yield
    finally:
        running.stop()


@pytest.mark.slow
def test_two_people_promote_as_the_service_knows_them(
    run: Run, gate: Run, signed_in: None, monkeypatch: pytest.MonkeyPatch
):
    keys = {
        name: run("keys", "create", name, "--role", role).out.strip()
        for name, role in (("ada", "guideline-owner"), ("bob", "guideline-owner"), ("ed", "editor"))
    }

    def be(name: str, key: str = "") -> None:
        monkeypatch.setenv("COPYDESK_KEY", keys[name])
        monkeypatch.setenv("COPYDESK_SIGNING_KEY", f"{key or name}.pem")

    be("ada")
    id = decision(gate())
    alone = run("promote", "1")
    assert (alone.code, f"says `copydesk approve {id}`" in text(alone.err)) == (2, True)
    own = run("approve", id)
    assert (own.code, f"'ada' made decision {id}" in text(own.err)) == (2, True)
    be("ed", key="bob")
    unfit = run("approve", id)
    assert (unfit.code, "approving needs the permission approve" in text(unfit.err)) == (2, True)
    be("bob")
    assert "bob approves decision" in run("approve", id).out
    twice = run("approve", id)
    assert (twice.code, "'bob' has approved decision" in text(twice.err)) == (2, True)
    monkeypatch.setenv("COPYDESK_KEY", "cdk_0_wrong")
    assert "does not take COPYDESK_KEY" in text(run("approve", id).err)
    be("ada")
    assert run("promote", "1").code == 0
    assert json.loads(run("promotions", "--json").out)[0]["signed_in"].endswith(f"as key:{keys['ada'].split('_')[1]}")


def test_an_approval_needs_a_sign_in(run: Run, monkeypatch: pytest.MonkeyPatch):
    assert "set COPYDESK_KEY to your API key" in text(run("approve", "0" * 32).err)
    monkeypatch.setenv("COPYDESK_KEY", "cdk_1_2")
    monkeypatch.setenv("COPYDESK_URL", "http://127.0.0.1:9")
    assert "COPYDESK_URL='http://127.0.0.1:9' does not answer" in text(run("approve", "0" * 32).err)
