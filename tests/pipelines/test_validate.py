"""`datasets validate` as a user runs it, and what keeps a broken set from an evaluation."""

import json
import sys
from pathlib import Path

import pytest

from agent.pack_files import default_pack
from evaluation.labels import LabelError, write_labels
from pipelines.validate import require_sound
from registry.connection import connect
from registry.evaluations import VALIDATIONS
from registry.settings import RegistrySettings
from tests.embedded import with_mlflow
from tests.evaluation.build import labelled, labelled_set
from tests.pipelines.terminal import Run, write

BRIDGE = labelled(
    "The mayor opened the bridge over the harbour on Monday morning.",
    ("dates", "on Monday morning"),
    id="bridge",
    split="dev",
)
BREAD = labelled("A <b>baker</b> from Oslo won a prize for rye bread.", ("hedging", "won a prize"), id="bread")
COPY = BRIDGE.model_copy(update={"id": "copy", "group": "copy", "split": "test"})
SOUND = labelled_set(BRIDGE, BREAD)
LEAKING = labelled_set(BRIDGE, BREAD, COPY)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    write_labels(SOUND, Path("sound.jsonl"))
    write_labels(LEAKING, Path("leaking.jsonl"))
    return tmp_path


@pytest.fixture
def home(folder: Path) -> Path:
    """Where the commands keep what they log."""
    return with_mlflow(folder / "home")


def rows(out: str) -> dict[str, tuple[str, str]]:
    """What the table says: title -> seen, result."""
    lines = out.partition("Expectation")[2].partition("\n\n")[0].split("\n")[1:]
    cells = ([cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines)
    return {title: (seen, result) for title, seen, result in cells}


def test_a_sound_set_is_0_and_warnings_do_not_change_that(run: Run):
    result = run("datasets", "validate", "sound.jsonl")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Validation of sound for the pack house\n2 articles, 21 words, 2 labels; splits dev, ")
    assert rows(result.out) == {
        "Lines are well-formed and agree": ("2", "✓"),
        "There are articles": ("2", "✓"),
        "Ids are unique": ("2", "✓"),
        "No text stands twice in a split": ("2", "✓"),
        "Each article names its language": ("2", "✓"),
        "Labels are of guidelines of the pack": ("2", "✓"),
        "Labels lie inside the text": ("2", "✓"),
        "Labels quote the text": ("2", "✓"),
        "No two labels of a guideline overlap": ("2", "✓"),
        "No group stands in two splits": ("2", "✓"),
        "No article shares 50 % of its wording with another split": ("2", "✓"),
        "Each labelled guideline has 30 violations in a split": ("2", "! 2"),
        "Each labelled guideline has 20 % hard negatives in a split": ("2", "! 2"),
        "No quote of 4 words is labelled in two splits": ("2", "✓"),
    }
    assert "  hedging (test), violations: 1\n" in result.out
    assert result.out.endswith("\nSound, with 2 warnings.\n")


def test_a_set_that_leaks_is_1(run: Run):
    result = run("datasets", "validate", "leaking.jsonl")
    assert result.code == 1
    assert rows(result.out)["No article shares 50 % of its wording with another split"] == ("3", "✗ 2")
    assert "  'bridge' (dev): shares 100 % of its wording with 'copy' (test)\n" in result.out
    assert result.out.endswith("\nNot sound: 1 error and 2 warnings. No evaluation runs on it.\n")


def test_labels_are_held_against_the_pack_that_is_named(run: Run):
    Path("pack").mkdir()
    write(
        "pack/dates.md",
        "---\nid: dates\ntitle: Write dates in full\ncategory: style\nseverity: advice\nscope: sentence\nkind: prompt\n"
        "---\n\nDates are written in full.\n\n## Instruction\n\nMark dates.\n",
    )
    result = run("datasets", "validate", "sound.jsonl", "--pack", "pack")
    assert result.code == 1
    assert "  'bread' (test), hedging 25..36: pack 'pack' has no guideline 'hedging'\n" in result.out


def test_lines_with_mistakes_are_1_with_file_and_line(run: Run):
    first, second = Path("sound.jsonl").read_text().splitlines()
    Path("set").mkdir()
    write("set/dev.jsonl", f"{first}\n\n{{\n")
    write("set/test.jsonl", f"{second.replace('won a prize', 'won no prize')}\n{first.replace('dev', 'test')}\n")
    result = run("datasets", "validate", "set", "--out", "page.html")
    assert result.code == 1
    assert rows(result.out) == {"Lines are well-formed and agree": ("4", "✗ 4")}
    for mistake in (
        "dev.jsonl:3: Invalid JSON: EOF while parsing",
        "test.jsonl:1: span hedging 25..36 quotes 'won no prize', and the text has 'won no priz' there",
        "test.jsonl:2: id 'bridge' is there twice, first in dev.jsonl:1",
        "test.jsonl:2: group 'bridge' stands in two splits, in 'dev' by dev.jsonl:1",
    ):
        assert f"\n  {mistake}" in result.out
    assert "dev.jsonl:3: Invalid JSON" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["nowhere.jsonl", "empty", "latin.jsonl"])
def test_what_cannot_be_read_is_2(run: Run, name: str):
    Path("empty").mkdir()
    write("latin.jsonl", "é".encode("latin-1"))
    result = run("datasets", "validate", name)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: '{name}' ")


def test_without_great_expectations_it_is_2_with_the_way_out(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    result = run("datasets", "validate", "sound.jsonl")
    assert result.code == 2
    assert "pip install 'copydesk[evaluation]'" in result.err


def test_the_page_stands_alone_and_escapes_what_it_quotes(run: Run):
    write_labels(labelled_set(BREAD, BREAD.model_copy(update={"id": "again"})), Path("twice.jsonl"))
    assert run("datasets", "validate", "twice.jsonl", "-o", "page.html").code == 1
    page = Path("page.html").read_text(encoding="utf-8")
    assert "A &lt;b&gt;baker&lt;/b&gt; from Oslo" in page
    assert "<h1>Validation of twice for the pack house</h1>" in page
    assert "color-scheme: light dark" in page
    assert "http" not in page


def test_a_logged_validation_holds_data_results_and_page(run: Run, folder: Path, home: Path):
    result = run("datasets", "validate", "leaking.jsonl", "--log", "-o", "page.html")
    assert result.code == 1
    registry = connect(RegistrySettings(home=home))
    (logged,) = registry.client.search_runs([registry.experiment_id(VALIDATIONS)])
    assert f"MLflow run {logged.info.run_id} in " in result.out
    assert (logged.info.status, logged.info.run_name) == ("FINISHED", "leaking for house")
    assert {name: logged.data.tags[name] for name in ("set", "set_digest", "outcome")} == {
        "set": "leaking",
        "set_digest": LEAKING.digest,
        "outcome": "not sound",
    }
    assert {"pack": "house", "splits": "dev,test", "articles": "3", "limit_violations": "30"}.items() <= (
        logged.data.params.items()
    )
    metrics = logged.data.metrics
    assert {name: metrics[name] for name in ("sound", "errors", "warnings")} == {"sound": 0, "errors": 1, "warnings": 2}
    assert {name for name, value in metrics.items() if name.startswith("passed/") and not value} == {
        "passed/no-near-duplicates",
        "passed/enough-violations",
        "passed/enough-negatives",
    }
    assert (metrics["passed/unique-ids"], metrics["failed/no-near-duplicates"]) == (1, 2)
    assert logged.inputs is not None
    (data,) = logged.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("leaking-dev+test", LEAKING.digest[:12])
    assert json.loads(data.dataset.source) == {"uri": "leaking.jsonl"}
    assert [tag.value for tag in data.tags] == ["validation"]
    page = registry.client.download_artifacts(logged.info.run_id, "validation.html", str(folder))
    assert Path(page).read_bytes() == Path("page.html").read_bytes()


def test_a_sound_set_may_judge_even_with_few_labels():
    require_sound(SOUND.of_split("test"), default_pack())
    require_sound(LEAKING.of_split("test"), default_pack())  # nothing leaks inside one split


def test_a_broken_set_may_not_and_the_first_article_is_named():
    broken = labelled_set(BREAD, BREAD.model_copy(update={"id": "again", "language": "und"}))
    with pytest.raises(LabelError) as caught:
        require_sound(broken, default_pack())
    assert str(caught.value).split("\n") == [
        "set 'set' is not sound, and judges nothing; not met: No text stands twice in a split; "
        "Each article names its language",
        "'bread' (test): another article has the same text, 'A <b>baker</b> from Oslo won a prize for rye bread.'",
        "`copydesk datasets validate` shows all that is wrong",
    ]


def test_an_evaluation_refuses_a_broken_set_before_it_checks_an_article(run: Run, home: Path):
    write_labels(labelled_set(labelled("Rain.", ("weather", "Rain"))), Path("unknown.jsonl"))
    result = run("evaluate", "--set", "unknown.jsonl")
    assert result.code == 2
    assert "'a' (test), weather 0..4: pack 'house' has no guideline 'weather'" in result.err
    assert connect(RegistrySettings(home=home)).client.get_experiment_by_name("copydesk-evaluations") is None
    assert not (home / "evaluations").exists()
