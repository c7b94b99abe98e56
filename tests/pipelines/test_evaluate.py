"""`evaluate`, `compare` and `gate`, as an engineer runs them."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.pack_files import default_pack, load_pack, write_pack
from evaluation.labels import write_labels
from evaluation.record import Evaluation
from pipelines.evaluate import DEFAULT_AT_ONCE
from registry.connection import Registry, connect
from registry.evaluations import read_decision, read_evaluation
from registry.settings import RegistrySettings
from tests.evaluation.build import labelled, labelled_set
from tests.pipelines.terminal import Run
from tests.scripted_model import Question, Scripted, ScriptedModel, finds
from tests.waiting import PATIENCE


def registry() -> Registry:
    return connect(RegistrySettings(home=Path("home")))


def run_id(out: str) -> str:
    return next(
        line.split()[-3] for line in out.splitlines() if line.startswith(("MLflow run", "Decision ")) and " in " in line
    )


def outcome(out: str) -> str:
    """What the gate said, after telling which versions it had to evaluate."""
    return next(line for line in out.splitlines() if not line.startswith("Evaluated "))


def test_an_evaluation_is_shown_written_and_logged(run: Run, labels: Path, packs: tuple[Path, Path]):
    result = run(
        "evaluate", "--set", str(labels), "--pack", str(packs[0]), "--out", "page.html", "--markdown", "page.md"
    )
    assert result.code == 0, result.err
    assert "Pack plain from files, without a model, on plain, test" in result.out
    assert "plain-words" in result.out
    assert "100 (94–100)" in result.out
    assert "<table>" in Path("page.html").read_text()
    assert "| plain-words | advice | 60 | 100 (94–100) | 0.00 | 100 | 100 | – |" in Path("page.md").read_text()
    id = run_id(result.out)
    logged = registry().client.get_run(id)
    assert logged.data.metrics["recall/plain-words"] == 1
    assert logged.data.metrics["recall_low"] == pytest.approx(0.9374, abs=1e-3)
    assert logged.data.params["model"] == "none"
    assert logged.inputs is not None
    assert logged.inputs.dataset_inputs[0].dataset.name == "plain-test"
    names = {artifact.path for artifact in registry().client.list_artifacts(id)}
    assert names == {"articles.json", "confusion.json", "evaluation.json.gz", "guidelines.json", "report.html"}
    record = Evaluation.load(read_evaluation(registry(), id), id)
    assert len(record.results) == 60


def test_a_registered_version_is_the_input_of_its_evaluation(run: Run, labels: Path, packs: tuple[Path, Path]):
    run("register", "--pack", str(packs[0]))
    result = run("evaluate", "--set", str(labels), "--version", "challenger")
    logged = registry().client.get_run(run_id(result.out))
    assert logged.data.params["version"] == "1"
    assert logged.inputs is not None
    assert len(logged.inputs.model_inputs) == 1


def test_from_the_first_champion_to_a_blocked_challenger(
    run: Run, labels: Path, packs: tuple[Path, Path], policy: Path
):
    ask = ("--set", str(labels), "--policy", str(policy))
    run("register", "--pack", str(packs[0]))
    first = run("gate", *ask)
    assert (first.code, outcome(first.out)) == (0, "PROMOTE"), first.err
    assert "There is no champion to compare version 1 with" in first.out
    run("promote", "1", "--force", "the gate said so")

    run("register", "--pack", str(packs[1]))
    second = run("gate", *ask, "--markdown", "decision.md", "--out", "decision.html")
    assert (second.code, outcome(second.out)) == (1, "BLOCK")
    assert "plain-words: recall worse by 25.0 points, surely more than the margin of 10.0 points." in second.out
    assert Path("decision.md").read_text().startswith("## BLOCK: Version 2 against version 1, on plain, test")
    assert "BLOCK" in Path("decision.html").read_text()

    decision = json.loads(read_decision(registry(), run_id(second.out)))
    assert (decision["outcome"], decision["looks"]) == ("BLOCK", 1)
    assert decision["champion"]["version"]["number"] == "1"
    assert decision["challenger"]["version"]["code_digest"]
    assert decision["policy"]["guidelines"] == {"plain-words": "critical"}
    assert len(decision["set_digest"]) == len(decision["policy_digest"]) == 64

    compared = run("compare", "1", "2", "--set", str(labels), "--out", "compared.html")
    assert compared.code == 0
    assert "-25.0 (-37" in compared.out
    assert "Version 2 against version 1" in Path("compared.html").read_text()
    assert run("gate", *ask).out.count("Decision 2 of 20") == 1  # the same pair again is no new look


def test_an_equal_challenger_is_promoted(run: Run, labels: Path, packs: tuple[Path, Path], policy: Path):
    run("register", "--pack", str(packs[0]))
    run("promote", "1", "--force", "first")
    house = load_pack(packs[0])
    renamed = house.guidelines[0].model_copy(update={"title": "Use the plainer word"})
    write_pack(house.model_copy(update={"guidelines": (renamed,)}), Path("renamed/plain"))
    run("register", "--pack", "renamed/plain")
    result = run("gate", "--set", str(labels), "--policy", str(policy))
    assert (result.code, outcome(result.out)) == (0, "PROMOTE")


def test_too_few_articles_are_3(run: Run, packs: tuple[Path, Path], policy: Path):
    few = [labelled(f"They utilise it {n} times.", ("plain-words", "utilise"), id=f"a{n}") for n in range(8)]
    write_labels(labelled_set(*few), Path("few.jsonl"))
    run("register", "--pack", str(packs[0]))
    run("promote", "1", "--force", "first")
    run("register", "--pack", str(packs[1]))
    result = run("gate", "--set", "few.jsonl", "--policy", str(policy))
    assert (result.code, outcome(result.out)) == (3, "INCONCLUSIVE")
    assert "more labelled article groups would settle it" in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate", "--set", "none.jsonl"), "none.jsonl"),
        (("evaluate", "--set", "plain.jsonl", "--split", "prod"), "has no split 'prod': there are test"),
        (("evaluate", "--set", "plain.jsonl", "--model", "m"), "set COPYDESK_MODEL_URL"),
        (("evaluate", "--set", "plain.jsonl", "--version", "1", "--model", "m"), "a version brings its own"),
        (("compare", "1", "2"), "name a labelled set with --set"),
        (("compare", "0" * 32, "1" * 32), f"there is no run '{'0' * 32}'"),
        (("gate", "--policy", "none.yaml", "--set", "plain.jsonl"), "none.yaml"),
    ],
)
def test_what_is_wrong_is_named(run: Run, labels: Path, arguments: tuple[str, ...], said: str):
    result = run(*arguments)
    assert result.code == 2
    assert said in " ".join(result.err.replace("│", " ").split())


@pytest.mark.slow
def test_an_evaluation_that_is_killed_goes_on_and_asks_nothing_twice(run: Run, labels: Path):
    """A real process, killed with -9 in the middle; the server counts what is asked."""
    house = default_pack()
    ids = ("attribution-of-claims", "loaded-language", "hedging")
    chosen = tuple(house.by_id[id] for id in ids)
    write_pack(
        house.model_copy(update={"name": "three", "guidelines": (*chosen, house.by_id["plain-words"])}), Path("three")
    )
    command = [sys.executable, "-m", "pipelines", "evaluate", "--set", str(labels), "--pack", "three", "--model", "m"]
    reached, killed_is = threading.Event(), threading.Event()
    answered: list[Question] = []

    def first_rule(question: Question) -> Scripted:
        answered.append(question)
        if len(answered) == 20 and not killed_is.is_set():
            reached.set()
            assert killed_is.wait(PATIENCE)
        return finds("They")

    with ScriptedModel({ids[0]: first_rule}) as model:
        environment = {**os.environ, "COPYDESK_MODEL_URL": model.url, "COPYDESK_MODEL_MAX_IN_FLIGHT": "4"}
        environment |= {"PYTHONPATH": str(Path(__file__).parents[2])}
        killed = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert reached.wait(PATIENCE)
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
        killed_is.set()
        assert 20 <= len(model.calls) < 180
        ended = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=110)
        assert ended.returncode == 0, ended.stderr
        assert "Going on with evaluation" in ended.stdout
        asked = [json.dumps(call) for call in model.calls]
        assert len(set(asked)) == 180
        articles = DEFAULT_AT_ONCE  # under way when it was killed: each asks about three guidelines
        assert len(asked) - 180 <= articles * len(ids)
    assert not list(Path("home/evaluations").iterdir())


def test_what_to_label_next_is_where_versions_disagree(run: Run, labels: Path, packs: tuple[Path, Path]):
    for pack in packs:
        run("register", "--pack", str(pack))
    Path("same.txt").write_text("They utilise it.")
    Path("other.txt").write_text("It closed prior to noon.")
    result = run("datasets", "next", "same.txt", "other.txt", "--champion", "1", "--challenger", "2")
    assert result.code == 0
    assert "other.txt" in result.out
    assert "same.txt" not in result.out
    assert "plain-words 1" in result.out
    assert "differ on 1 of 2 articles" in result.out
    assert "agree on every article" in run("datasets", "next", "same.txt", "--champion", "1", "--challenger", "2").out
