import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from registry.connection import Registry, connect
from registry.errors import CredentialsRefused, RegistryError, RegistryUnreachable
from registry.settings import RegistrySettings
from registry.versions import list_versions
from tests.serving.service import free_port

REGISTER = """
import sys
from agent.spec import AgentSpec
from registry.connection import connect
from registry.settings import RegistrySettings
from registry.versions import register
from tests.agent.build import pack

registry = connect(RegistrySettings(home=sys.argv[1]))
print(register(registry, AgentSpec(pack=pack())).version.number)
"""


def test_embedded_by_default(tmp_path: Path) -> None:
    registry = connect(RegistrySettings(home=tmp_path / "new" / "home"))
    experiment = registry.client.get_experiment(registry.experiment_id("tries"))
    assert registry.uri == f"sqlite:///{tmp_path}/new/home/mlflow.db"
    assert experiment.artifact_location == f"file://{tmp_path}/new/home/mlartifacts/tries"


def test_the_default_experiment_also_keeps_its_files_under_home(tmp_path: Path) -> None:
    registry = connect(RegistrySettings(home=tmp_path))
    assert registry.client.get_experiment("0").artifact_location == f"file://{tmp_path}/mlartifacts/0"


def test_settings_read_the_names_operators_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COPYDESK_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    settings = RegistrySettings()
    assert (settings.home, settings.tracking_uri, settings.embedded) == (tmp_path, "https://mlflow.example", False)


def test_connecting_leaves_the_address_out_of_the_environment(embedded: Registry) -> None:
    assert "MLFLOW_TRACKING_URI" not in os.environ


@pytest.mark.timeout(60)  # MLflow's own client would try for minutes
def test_a_dead_server_is_named_at_once(tmp_path: Path) -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(RegistryUnreachable, match=f"MLflow at {uri} can't be reached: start it or set MLFLOW_TRACKING"):
        connect(RegistrySettings(home=tmp_path, mlflow_tracking_uri=uri))


class _Refusing(BaseHTTPRequestHandler):
    """An MLflow behind a sign-in that doesn't know us."""

    def do_GET(self) -> None:
        self.send_error(401)

    do_POST = do_GET  # noqa: N815 - as the server asks for it

    def log_message(self, *_: object) -> None: ...


def test_credentials_that_are_refused_are_an_outage_and_named(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings = RegistrySettings(home=tmp_path, mlflow_tracking_uri=f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(CredentialsRefused, match="refuses these credentials: set MLFLOW_TRACKING_USERNAME"):
            connect(settings)
        server.shutdown()


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(RegistryUnreachable, match=r"can't be kept in .*home: set COPYDESK_HOME to a folder"):
        connect(RegistrySettings(home=tmp_path / "home"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(RegistryError, match="file is not a database"):
        connect(RegistrySettings(home=tmp_path))


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("postgresql+psycopg://me:secret@127.0.0.1:9/mlflow", r"me:\*\*\*@127.0.0.1:9/mlflow can't be used: repair it"),
        ("mssql+nosuch://me:secret@127.0.0.1:9/mlflow", r"me:\*\*\*@127.0.0.1:9/mlflow can't be used: repair it"),
        ("http://me:secret@127.0.0.1:9", r"http://me:\*\*\*@127.0.0.1:9 can't be reached"),
        ("file:///nowhere", "filesystem tracking backend"),
        ("gopher://old", "unsupported URI 'gopher://old'"),
    ],
)
def test_an_address_of_no_use_is_named_without_its_password(tmp_path: Path, uri: str, told: str) -> None:
    with pytest.raises(RegistryError, match=told) as refused:
        connect(RegistrySettings(home=tmp_path, mlflow_tracking_uri=uri))
    assert "secret" not in str(refused.value)


def test_a_deleted_experiment_says_how_to_bring_it_back(registry: Registry) -> None:
    experiment = registry.experiment_id("thrown-away")
    registry.client.delete_experiment(experiment)
    with pytest.raises(RegistryError, match=f"mlflow experiments restore --experiment-id {experiment}"):
        registry.experiment_id("thrown-away")
    registry.client.restore_experiment(experiment)


@pytest.mark.slow
def test_processes_that_make_one_embedded_registry_at_once_agree(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTER, str(tmp_path)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    answers = [(process.communicate(timeout=110), process.returncode) for process in processes]
    assert [(output, code) for (output, _), code in answers] == [(b"1\n", 0)] * 3, answers
    assert [version.number for version in list_versions(connect(RegistrySettings(home=tmp_path)))] == [1]
    assert not list(tmp_path.glob("*.new*"))
