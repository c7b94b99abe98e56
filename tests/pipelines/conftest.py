import sys
from pathlib import Path

import pytest
import yaml

from agent.pack_files import default_pack, write_pack
from evaluation.labels import write_labels
from pipelines.cli import main
from pipelines.gate import DEFAULT_POLICY
from tests.embedded import with_mlflow
from tests.evaluation.build import labelled, labelled_set
from tests.pipelines.terminal import Ran, Run

WORDS = ("utilise", "prior to", "commence", "in the event that")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in an empty folder with a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COPYDESK_HOME", str(with_mlflow(tmp_path / "home")))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["copydesk", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def labels(run: Run) -> Path:
    """Sixty articles of 300 words, each with one word that is not plain."""
    rest = "The council met and the road was opened. " * 35
    articles = [
        labelled(
            f"Page {n} of the report. They {WORDS[n % 4]} it. {rest}".strip(), ("plain-words", WORDS[n % 4]), id=f"a{n}"
        )
        for n in range(60)
    ]
    path = Path("plain.jsonl")
    write_labels(labelled_set(*articles, name="plain"), path)
    return path


@pytest.fixture
def packs(run: Run) -> tuple[Path, Path]:
    """One guideline, and the same one with a fourth of its words lost."""
    house = default_pack()
    guideline = house.by_id["plain-words"]
    write_pack(house.model_copy(update={"name": "plain", "guidelines": (guideline,)}), Path("before/plain"))
    worse = guideline.rules[0].model_copy(
        update={"swap": {k: v for k, v in guideline.rules[0].swap.items() if "prior" not in k}}  # type: ignore[union-attr]
    )
    changed = guideline.model_copy(update={"rules": (worse, *guideline.rules[1:]), "violations": ()})
    write_pack(house.model_copy(update={"name": "plain", "guidelines": (changed,)}), Path("after/plain"))
    return Path("before/plain"), Path("after/plain")


@pytest.fixture
def policy(run: Run) -> Path:
    """The policy of the house, with plain words critical."""
    values = yaml.safe_load(DEFAULT_POLICY.read_text())
    path = Path("policy.yaml")
    margins = {**values["margins"], "critical": {"recall": 0.1, "false_alarms": 0.5}}
    changed = {
        "guidelines": {"plain-words": "critical"},
        "margins": margins,
        "resamples": 500,
        "p95_ratio": None,
    }  # machines of tests are busy
    path.write_text(yaml.safe_dump(values | changed))
    return path
