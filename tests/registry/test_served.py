"""The packaged agent: in this process, and alone in an environment made from its own requirements."""

import ast
import asyncio
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest

from agent.pack_files import default_pack
from agent.report import ComplianceReport
from agent.spec import AgentSpec
from registry import served
from registry.aliases import promote
from registry.connection import Registry, connect
from registry.served import ArticleInput
from registry.settings import RegistrySettings
from registry.version import CHAMPION, MODEL_NAME
from registry.versions import load, register
from tests.agent.build import article, pack
from tests.conftest import missing
from tests.embedded import with_mlflow
from tests.mlflow_server import wait_until_answers
from tests.serving.service import free_port

CHAMPION_URI = f"models:/{MODEL_NAME}@{CHAMPION}"
TEXT = "Sources say the minister utilised the report.\n\nIt is a game changer, experts say."
PREDICT = """
import json, sys, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
reports = model.predict([{"text": sys.argv[2]}])
import agent
print(json.dumps({"reports": reports, "code": agent.__file__}))
"""


@pytest.fixture
def module_path() -> Iterator[None]:
    """MLflow leaves the folder of a loaded version's code on the module path."""
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture
def model(embedded: Registry, module_path: None) -> Any:
    register(embedded, AgentSpec(pack=pack()))
    return mlflow.pyfunc.load_model(f"models:/{MODEL_NAME}/1")


def test_the_file_stands_alone() -> None:
    tree = ast.parse(Path(served.__file__).read_text(encoding="utf-8"))
    modules = {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert not modules & {"registry", "evaluation", "serving", "pipelines"}


def test_an_article_is_read_like_any_other() -> None:
    read = ArticleInput(text="First.\n\nSecond.", title=" A  title ", language="de").article()
    assert (read.text, read.title, read.language) == ("First.\n\nSecond.", "A title", "de")


async def test_it_reports_on_each_article_also_inside_a_running_loop(model: Any) -> None:
    reports = model.predict([{"text": "Experts say so."}, {"text": "We utilise it.", "guidelines": ["attribution"]}])
    assert [len(ComplianceReport.model_validate(report).findings) for report in reports] == [1, 0]
    assert [len(report["outcomes"]) for report in reports] == [2, 1]


def test_one_bad_article_leaves_the_others(model: Any) -> None:
    answers = model.predict([{"text": " "}, {"text": "Fine.", "guidelines": ["nope"]}, {"text": "Fine."}])
    assert [answer.get("error", {}).get("type") for answer in answers] == ["empty-article", "unknown-guideline", None]


def test_input_of_another_shape_is_refused(model: Any) -> None:
    with pytest.raises(mlflow.exceptions.MlflowException, match="Failed to validate data against type hint"):
        model.predict([{"words": "Fine."}])


def test_the_signature_says_what_an_article_is(model: Any) -> None:
    properties = model.metadata.signature.inputs.to_dict()[0]["properties"]
    assert set(properties) == {"text", "title", "language", "guidelines"}


def test_other_code_in_the_process_is_refused(embedded: Registry, module_path: None) -> None:
    register(embedded, AgentSpec(pack=pack()))
    stored = next((embedded.settings.home / "mlartifacts").rglob("spec.json"))
    spec = json.loads(stored.read_text(encoding="utf-8"))
    stored.write_text(json.dumps(spec | {"code": "f" * 64}), encoding="utf-8")
    with pytest.raises(RuntimeError, match="packaged with agent code ffffffffffff, but this process already imported"):
        mlflow.pyfunc.load_model(f"models:/{MODEL_NAME}/1")


@pytest.fixture(scope="module")
def champion_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded registry whose champion is the default pack."""
    home = with_mlflow(tmp_path_factory.mktemp("champion"))
    registry = connect(RegistrySettings(home=home))
    register(registry, AgentSpec(pack=default_pack()))
    promote(registry, 1, force_reason="a test", who="tests")
    return home


@pytest.fixture(scope="module")
def empty_environment(champion_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the champion's requirements and nothing of this project."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        missing("uv", "run `make setup`")
    folder = tmp_path_factory.mktemp("environment") / "venv"
    wanted = next(champion_home.rglob("requirements.txt"))
    subprocess.run([str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    installed = subprocess.run(
        [str(uv), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), "-r", str(wanted)],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        missing("the package index", installed.stderr[-500:])
    return folder / "bin"


def bare(home: Path, environment: Path) -> dict[str, str]:
    """The variables of a machine that knows MLflow's address and nothing else."""
    uri = RegistrySettings(home=home).tracking_uri
    return {"PATH": f"{environment}:/usr/bin:/bin", "HOME": str(environment), "MLFLOW_TRACKING_URI": uri}


def expected(home: Path) -> list[tuple[str, int, int]]:
    installed = load(connect(RegistrySettings(home=home)), CHAMPION)
    report = asyncio.run(installed.check(article(*TEXT.split("\n\n"))))
    return [(finding.guideline, finding.start, finding.end) for finding in report.findings]


def found(report: dict[str, Any]) -> list[tuple[str, int, int]]:
    return [(finding["guideline"], finding["start"], finding["end"]) for finding in report["findings"]]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_checks_an_article_by_itself(champion_home: Path, empty_environment: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(empty_environment / "python"), "-c", PREDICT, CHAMPION_URI, TEXT],
        env=bare(champion_home, empty_environment),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert Path(answer["code"]).is_relative_to(champion_home / "mlartifacts")
    assert found(answer["reports"][0]) == expected(champion_home) != []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_mlflow_serves_it(champion_home: Path, empty_environment: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "serve.log"
    command = [str(empty_environment / "mlflow"), "models", "serve", "--model-uri", CHAMPION_URI]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)],
            env=bare(champion_home, empty_environment),
            cwd=tmp_path,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_answers(f"http://127.0.0.1:{port}/ping", process, log, 90)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations",
            json.dumps({"inputs": [{"text": TEXT}]}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert found(answer["predictions"][0]) == expected(champion_home)
    finally:
        os.killpg(process.pid, 15)  # MLflow starts the server as a child
        process.wait(20)
