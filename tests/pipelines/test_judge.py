"""`judge`, after `evaluate`, with a model and a judge that each speak HTTP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.pack_files import default_pack, write_pack
from evaluation.labels import write_labels
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from tests.evaluation.build import labelled, labelled_set
from tests.pipelines.terminal import Run
from tests.scripted_model import Question, Scripted, ScriptedModel
from tests.scripted_model.judge import QUOTE, SUGGESTION, ScriptedJudge

pytestmark = pytest.mark.slow  # ragas and Great Expectations take seconds to import

ID = "attribution-of-claims"
REST = "The council met and the road was opened on the first day of the month."
ARTICLES = 30  # of which every third has a bad finding
Judged = Callable[..., tuple[int, str, str]]


def finds_badly(question: Question) -> Scripted:
    """A finding in each article; in every third it says, suggests and marks what is bad."""
    number = int(question.text.split()[1])
    bad = number % 3 == 0
    return Scripted(
        (
            {
                "quote": "a bad idea" if bad else "Experts say",
                "paragraph": 1,
                "explanation": "It is bad." if bad else "No source is named.",
                "suggestion": "bad" if bad else "Ms Ek of the institute says",
            },
        )
    )


@pytest.fixture
def run_id(run: Run, monkeypatch: pytest.MonkeyPatch) -> str:
    """An evaluation of a pack from files, in MLflow."""
    articles = [
        labelled(f"Page {n} begins. Experts say it was a bad idea. {REST}", (ID, "Experts say"), id=f"a{n}")
        for n in range(ARTICLES)
    ]
    write_labels(labelled_set(*articles, name="claims"), Path("claims.jsonl"))
    house = default_pack()
    write_pack(house.model_copy(update={"name": "one", "guidelines": (house.by_id[ID],)}), Path("one"))
    with ScriptedModel({ID: finds_badly}) as model:
        monkeypatch.setenv("COPYDESK_MODEL_URL", model.url)
        done = run("evaluate", "--set", "claims.jsonl", "--pack", "one", "--model", "m")
    assert done.code == 0, done.err
    return next(line.split()[2] for line in done.out.splitlines() if line.startswith("MLflow run"))


@pytest.fixture
def judge(run: Run, run_id: str, monkeypatch: pytest.MonkeyPatch) -> Judged:
    """Runs `judge` on that evaluation."""

    def judge(*arguments: str, model: ScriptedJudge | None = None, name: str = "j") -> tuple[int, str, str]:
        with model or ScriptedJudge() as scripted:
            monkeypatch.setenv("COPYDESK_JUDGE_URL", scripted.url)
            monkeypatch.setenv("COPYDESK_JUDGE_MODEL", name)
            monkeypatch.setenv("COPYDESK_JUDGE_ATTEMPTS", "1")
            return run("judge", "--run", run_id, "--set", "claims.jsonl", "--pack", "one", *arguments)

    return judge


def registry() -> Registry:
    return connect(RegistrySettings(home=Path("home")))


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def label(path: str, verdict: Callable[[dict[str, Any]], str]) -> None:
    """A person's verdicts on a sheet, the same by every criterion."""
    labelled = [one | {"human": dict.fromkeys(one["human"], verdict(one))} for one in lines(path)]
    Path(path).write_text("".join(f"{json.dumps(one)}\n" for one in labelled))


def is_good(one: dict[str, Any]) -> str:
    return "bad" if one["quote"] == "a bad idea" else "good"


def test_figures_are_shown_written_and_added_to_the_evaluation(judge: Judged, run_id: str):
    code, out, err = judge("--out", "judged.jsonl")
    assert code == 0, err
    assert "Pack one from files on claims, test, judged by j" in out
    assert "30 of 30 findings that a model wrote" in out
    assert [line.split()[:4] for line in out.splitlines()[4:7]] == [
        ["faithfulness", "30", "0", "67"],
        ["suggestion", "30", "0", "67"],
        ["quote", "30", "0", "67"],
    ]
    assert out.count("uncalibrated") == 6
    logged = registry().client.get_run(run_id)
    assert logged.data.metrics["judge/faithfulness_good"] == pytest.approx(2 / 3)
    assert logged.data.metrics["judge/quote_good_low"] < 2 / 3 < logged.data.metrics["judge/quote_good_high"]
    assert "judge/quote_kappa" not in logged.data.metrics
    assert (logged.data.tags["judge_model"], logged.info.status) == ("j", "FINISHED")
    assert logged.data.metrics["recall"] == pytest.approx(2 / 3)  # what was there stays
    assert "judged.jsonl" in {artifact.path for artifact in registry().client.list_artifacts(run_id)}
    assert {(one["judge"]["quote"]["good"], is_good(one)) for one in lines("judged.jsonl")} == {
        (True, "good"),
        (False, "bad"),
    }


def test_a_sample_is_a_part_of_the_findings(judge: Judged):
    judge("--sample", "10", "--seed", "1", "--out", "one.jsonl")
    again = judge("--sample", "10", "--seed", "1", "--out", "same.jsonl")
    judge("--sample", "10", "--seed", "2", "--out", "other.jsonl")
    assert "10 of 30 findings" in again[1]
    assert lines("one.jsonl") == lines("same.jsonl") != lines("other.jsonl")


def test_a_judge_is_held_against_a_person(judge: Judged, run_id: str):
    """One who agrees with it, one who leaves out a finding, one whose verdicts have nothing to do with it."""
    judge("--sheet", "sheet.jsonl")
    assert "judge" not in lines("sheet.jsonl")[0]
    label("sheet.jsonl", is_good)
    agreed = judge("--sample", "3", "--calibration", "sheet.jsonl")
    said = "may be trusted: kappa 1.00 (1.00 to 1.00) is surely 0.6 or more, agrees with the person on 100 % (88–100)."
    assert agreed[1].count(said) == 3
    label("sheet.jsonl", lambda one: is_good(one) if one["article"] != "a3" else "")
    assert "not enough to tell: 20 good and 9 bad" in judge("--sample", "3", "--calibration", "sheet.jsonl")[1]
    label("sheet.jsonl", lambda one: "good" if int(one["article"][1:]) % 2 else "bad")
    differed = judge("--calibration", "sheet.jsonl")
    assert differed[1].count("not to be trusted: kappa 0.00") == 3
    logged = registry().client.get_run(run_id).data.metrics
    assert (logged["judge/quote_kappa"], logged["judge/quote_trusted"]) == (0, 0)


def test_failures_are_not_bad(judge: Judged):
    failing = ScriptedJudge({QUOTE: [Scripted(status=400)], SUGGESTION: [Scripted(status=400), Scripted()]})
    code, out, _ = judge(model=failing)
    rows = [line.split()[:3] for line in out.splitlines()[4:7]]
    assert (code, rows) == (0, [["faithfulness", "30", "0"], ["suggestion", "29", "1"], ["quote", "0", "30"]])


def test_a_judge_that_never_answers_adds_nothing(judge: Judged, run_id: str):
    refusing = {kind: [Scripted(status=401)] for kind in (QUOTE, SUGGESTION, "StatementGeneratorOutput")}
    code, _, err = judge(model=ScriptedJudge(refusing))
    assert code == 2
    assert "gave no opinion on any of 30 findings; the first: unauthorised" in err
    assert "COPYDESK_JUDGE_KEY" in err
    assert not [name for name in registry().client.get_run(run_id).data.metrics if name.startswith("judge/")]


def test_a_model_that_judges_itself_is_said(judge: Judged):
    assert "The judge is the model that wrote the findings" in judge("--sample", "3", name="m")[1]


def test_what_is_wrong_is_named_before_the_judge_is_asked(
    run: Run, run_id: str, judge: Judged, monkeypatch: pytest.MonkeyPatch
):
    asked = ("judge", "--run", run_id, "--set", "claims.jsonl")
    assert "set COPYDESK_JUDGE_URL" in run(*asked, "--pack", "one").err
    assert "made with 'one'" in run(*asked).err  # and not with the house's guidelines
    monkeypatch.setenv("COPYDESK_JUDGE_MAX_TOKENS", "0")
    assert "COPYDESK_JUDGE_MAX_TOKENS is '0'" in run(*asked, "--pack", "one").err
    write_labels(labelled_set(labelled("Experts say so.", id="a1"), name="claims"), Path("claims.jsonl"))
    assert "name the set it was made on, or evaluate anew" in run(*asked).err
