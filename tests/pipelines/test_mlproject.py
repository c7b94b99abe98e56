"""The entry points of MLproject are commands of ours, and run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from evaluation.labels import write_labels
from pipelines.cli import whole
from tests.evaluation.build import labelled, labelled_set

ROOT = Path(__file__).parents[2]
PROJECT = yaml.safe_load((ROOT / "MLproject").read_text())


def test_the_steps_of_an_engineer_are_entry_points():
    assert list(PROJECT["entry_points"]) == ["validate", "register", "evaluate", "gate", "promote"]


@pytest.mark.parametrize("name", PROJECT["entry_points"])
def test_every_option_of_an_entry_point_exists(name):
    words = PROJECT["entry_points"][name]["command"].split()
    assert words[0] == "copydesk"
    command = get_command(whole())
    for word in words[1:]:
        if word.startswith("--"):
            assert word in {option for parameter in command.params for option in parameter.opts}
        elif not word.startswith("{") and hasattr(command, "commands"):
            command = command.commands[word]
    named = {word.strip("{}") for word in words if word.startswith("{")}
    assert named == set(PROJECT["entry_points"][name]["parameters"])


@pytest.mark.slow
def test_mlflow_runs_an_entry_point(tmp_path):
    write_labels(labelled_set(labelled("They utilise it.", ("plain-words", "utilise"))), tmp_path / "set.jsonl")
    asked = ("-e", "validate", "-P", f"set={tmp_path / 'set.jsonl'}")
    ended = subprocess.run(
        [sys.executable, "-m", "mlflow", "run", str(ROOT), *asked, "--env-manager", "local"],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
            "COPYDESK_HOME": str(tmp_path / "home"),
        },
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Sound" in ended.stdout
