"""MLflow answers, and the store of its artifacts doesn't."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from azure.storage.blob import BlobServiceClient
from mlflow.exceptions import MlflowException

from agent.spec import AgentSpec
from registry.artifacts import read, store, store_failure, storing
from registry.connection import Registry, connect
from registry.errors import (
    ArtifactsRefused,
    ArtifactsUnreachable,
    CredentialsRefused,
    RegistryError,
    RegistryUnreachable,
    UnknownEvaluation,
)
from registry.evaluations import EVALUATIONS, RECORD_ARTIFACT, LabelledData, LoggedRun, log_run, read_evaluation
from registry.retention import forget_articles
from registry.runs import RECORDING_ARTIFACT, experiment_name, find_run, read_recording
from registry.settings import RegistrySettings
from registry.versions import load, register
from tests.agent.build import pack
from tests.registry.logged import log_production_run
from tests.registry.refusing_proxy import refusing_proxy
from tests.registry.test_azure import WORKSPACE
from tests.registry.test_retention import LATER, TIMES
from tests.registry.test_runs import STARTED, record
from tests.serving.service import free_port

RUN = "0" * 32
AZURE = "wasbs://logs@house.blob.core.windows.net/production"


def read_version(registry: Registry, _: str) -> object:
    return load(registry, "1")


def of_run(location: str) -> str:
    """The address of the artifacts of a run whose experiment keeps them there."""
    return f"{location}/{RUN}/artifacts"


def at_location(registry: Registry, location: str) -> None:
    registry.client.create_experiment(experiment_name(registry, record().finished), artifact_location=location)


def test_a_folder_that_is_away_is_an_outage_and_the_run_is_completed_when_it_is_back(embedded: Registry) -> None:
    root = embedded.settings.artifact_root
    root.write_text("where the disk was mounted")
    told = f"MLflow's artifact store file://{root}/copydesk/production-2026-11 stores no artifacts: bring it back, or"
    with pytest.raises(ArtifactsUnreachable, match=told) as away:
        log_production_run(embedded, record())
    assert away.value.outage
    begun = find_run(embedded, embedded.experiment_id("copydesk/production-2026-11"), "job-1")
    assert begun
    assert begun.info.status == "RUNNING"
    root.unlink()
    assert log_production_run(embedded, record()) == begun.info.run_id
    assert [each.path for each in embedded.client.list_artifacts(begun.info.run_id)] == ["report.json"]


def test_a_store_of_its_own_that_is_away_is_named_without_its_password(embedded: Registry) -> None:
    port = free_port()
    at_location(embedded, f"http://me:secret@127.0.0.1:{port}/logs?sig=signature")
    with pytest.raises(ArtifactsUnreachable, match=rf"store http://me:\*\*\*@127.0.0.1:{port}/logs stores no") as away:
        log_production_run(embedded, record())
    said = str(away.value)
    assert ("secret" in said, "sig=" in said) == (False, False)


def test_a_store_whose_driver_is_missing_is_an_outage(embedded: Registry) -> None:
    at_location(embedded, "s3://no-such-bucket/logs")
    with pytest.raises(ArtifactsUnreachable, match="artifact store s3://no-such-bucket/logs stores no artifacts"):
        log_production_run(embedded, record())


@contextmanager
def through(server_uri: str, home: Path, status: int) -> Iterator[tuple[Registry, str]]:
    """MLflow's server with an artifact store that answers so."""
    with refusing_proxy(server_uri, "/mlflow-artifacts/", status, "no artifacts") as (uri, _):
        yield connect(RegistrySettings(home=home, mlflow_tracking_uri=uri)), uri


@pytest.mark.parametrize("status", [429, 500, 501, 502, 503, 504])
def test_a_server_that_can_not_hand_artifacts_on_is_an_outage(server_uri: str, tmp_path: Path, status: int) -> None:
    with through(server_uri, tmp_path, status) as (registry, uri):
        told = f"MLflow at {uri} stores no artifacts: look at its log, and at the store that its --artifacts-dest"
        with pytest.raises(ArtifactsUnreachable, match=f"{told}.*{status}"):
            log_production_run(registry, record(f"away-{status}"))


def test_a_server_that_lets_us_store_nothing_is_an_outage(server_uri: str, tmp_path: Path) -> None:
    with through(server_uri, tmp_path, 403) as (registry, uri), pytest.raises(ArtifactsRefused, match=uri) as refused:
        log_production_run(registry, record("denied"))
    assert refused.value.outage


@pytest.mark.parametrize("status", [400, 404, 413])
def test_an_artifact_that_is_refused_is_none(server_uri: str, tmp_path: Path, status: int) -> None:
    with (
        through(server_uri, tmp_path, status) as (registry, uri),
        pytest.raises(RegistryError, match=f"MLflow at {uri} refused an artifact: {status} .*no artifacts") as refused,
    ):
        log_production_run(registry, record(f"refused-{status}"))
    assert not refused.value.outage


def test_what_is_old_is_forgotten_later_while_the_store_is_away(server_uri: str, server: Registry) -> None:
    a_year = timedelta(days=400)  # a month of its own: other tests forget on this server too
    log_production_run(server, record("old", **{at: getattr(record(), at) - a_year for at in TIMES}))
    with (
        through(server_uri, server.settings.home, 503) as (registry, uri),
        pytest.raises(ArtifactsUnreachable, match=f"MLflow at {uri} stores no artifacts"),
    ):
        forget_articles(registry, LATER - a_year)
    assert forget_articles(connect(server.settings), LATER - a_year) == 1


def evaluation(**fields: object) -> LoggedRun:
    data = LabelledData(name="desk", split="test", digest="0", source="desk.jsonl", articles=1, words=1)
    whole = {
        "name": "e",
        "tags": {},
        "params": {},
        "metrics": {},
        "data": data,
        "started": STARTED,
        "finished": STARTED,
    }
    return LoggedRun.model_validate(whole | fields)


@pytest.mark.parametrize(("status", "kind"), [(403, ArtifactsRefused), (503, ArtifactsUnreachable)])
@pytest.mark.parametrize(
    "artifacts", [{"files": {"f": b"x"}}, {"texts": {"t.json": "{}"}}, {"tables": {"t.json": {"column": [1]}}}]
)
def test_an_evaluation_is_not_logged_while_the_store_is_away(
    server_uri: str, tmp_path: Path, artifacts: dict[str, object], status: int, kind: type[RegistryError]
) -> None:
    with through(server_uri, tmp_path, status) as (registry, uri), pytest.raises(kind, match=f"MLflow at {uri}"):
        log_run(registry, EVALUATIONS, evaluation(**artifacts))


@pytest.mark.parametrize(("status", "kind"), [(403, ArtifactsRefused), (503, ArtifactsUnreachable)])
@pytest.mark.parametrize("reader", [read_evaluation, read_recording, read_version])
def test_what_is_read_while_the_store_is_away_is_the_same_outage(
    server_uri: str,
    server: Registry,
    reader: Callable[[Registry, str], object],
    status: int,
    kind: type[RegistryError],
) -> None:
    register(server, AgentSpec(pack=pack()))
    run = log_run(server, EVALUATIONS, evaluation(files={RECORD_ARTIFACT: b"x", RECORDING_ARTIFACT: b"x"}))
    with through(server_uri, server.settings.home, status) as (registry, uri):
        told = f"MLflow at {uri} (hands out no|lets nobody read) artifacts"
        with pytest.raises(kind, match=told):
            reader(registry, run)


def test_a_version_that_was_loaded_serves_while_the_store_is_away(server_uri: str, server: Registry) -> None:
    register(server, AgentSpec(pack=pack()))
    loaded = load(server, "1")
    with through(server_uri, server.settings.home, 503) as (registry, _):
        assert load(registry, "1").spec == loaded.spec


def test_what_is_missing_from_a_store_that_answers_is_refused_alone(server: Registry) -> None:
    run = log_run(server, EVALUATIONS, evaluation(files={"f": b"x"}))
    with pytest.raises(UnknownEvaluation, match=f"has no {RECORD_ARTIFACT}"):
        read_evaluation(server, run)
    with pytest.raises(RegistryError) as refused, server.answering():
        read(server, server.client.get_run(run).info.artifact_uri, "nothing")
    assert not refused.value.outage


@contextmanager
def blob_store(status: int) -> Iterator[str]:
    """Azure's address where it answers so to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(status)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/house"
        server.shutdown()


def upload(url: str) -> None:
    """As MLflow does it, without the minutes in which Azure's client would try again."""
    with BlobServiceClient(url, credential="c2VjcmV0", retry_total=0) as client:
        client.get_container_client("logs").upload_blob("report.json", b"x", overwrite=True)


def test_azure_that_does_not_answer_is_an_outage(embedded: Registry) -> None:
    told = pytest.raises(ArtifactsUnreachable, match=f"{AZURE} stores no artifacts.*refused")
    with told, storing(embedded, of_run(AZURE)):
        upload(f"http://127.0.0.1:{free_port()}/house")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RegistryError),
        (404, ArtifactsUnreachable),  # the container is gone
        (403, ArtifactsRefused),
        (500, ArtifactsUnreachable),
        (503, ArtifactsUnreachable),
    ],
)
def test_what_azure_answers_is_told_apart(embedded: Registry, status: int, kind: type[RegistryError]) -> None:
    with (
        blob_store(status) as url,
        pytest.raises(RegistryError, match=AZURE) as failed,
        storing(embedded, of_run(AZURE)),
    ):
        upload(url)
    assert type(failed.value) is kind


def of_amazon(name: str, module: str = "botocore.exceptions", status: int | None = None) -> Exception:
    """As its library's, which isn't installed."""
    error: Exception = type(name, (Exception,), {"__module__": module})(name)
    if status is not None:
        error.response = {"ResponseMetadata": {"HTTPStatusCode": status}}  # type: ignore[attr-defined]
    return error


def upload_failed(status: int) -> Exception:
    """boto3 puts another error before that which says why."""
    error = of_amazon("S3UploadFailedError", "boto3.exceptions")
    error.__context__ = of_amazon("ClientError", status=status)
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (of_amazon("EndpointConnectionError"), ArtifactsUnreachable),
        (of_amazon("ClientError", status=503), ArtifactsUnreachable),
        (of_amazon("ClientError", status=400), RegistryError),
        (of_amazon("ClientError", status=404), ArtifactsUnreachable),
        (upload_failed(500), ArtifactsUnreachable),
        (upload_failed(403), ArtifactsRefused),
        (upload_failed(413), RegistryError),
        (TypeError("not ours"), None),
        (MlflowException("No such artifact"), None),
    ],
)
def test_what_amazon_raises_is_told_apart(error: Exception, kind: type[RegistryError] | None) -> None:
    failure = store_failure("http://mlflow", of_run("s3://bucket/logs"), error)
    assert (type(failure) if failure else None) is kind


def test_an_artifact_that_is_not_there_is_a_refusal_of_that_one() -> None:
    missing = store_failure(
        "http://mlflow", of_run("s3://bucket/logs"), of_amazon("ClientError", status=404), reading=True
    )
    assert type(missing) is RegistryError


def test_a_server_that_takes_too_long_over_an_artifact_is_an_outage_of_the_store(
    server_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refusing_proxy(server_uri, "/mlflow-artifacts/", 500, "too late", after=6) as (uri, _):
        slow = connect(RegistrySettings(home=tmp_path, mlflow_tracking_uri=uri))
        run = slow.client.create_run(slow.experiment_id("late"))
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")  # from here on, where no other call has to be answered
        with pytest.raises(ArtifactsUnreachable, match=f"MLflow at {uri} stores no artifacts.*not answer in time"):
            store(slow, run.info.artifact_uri, {"f": b"x"})


@pytest.mark.parametrize(
    "said",
    [
        "/runs/get failed with exception HTTPConnectionPool: Max retries exceeded (Connection refused)",
        "/runs/get failed with exception HTTPConnectionPool: Max retries exceeded (too many 503 error responses)",
        "/runs/get failed with exception HTTPConnectionPool: Read timed out. (read timeout=10)",
        "/runs/get failed with error code 500 != 200. Response body: ''",
    ],
)
@pytest.mark.parametrize("location", [AZURE, "mlflow-artifacts:/1"])
def test_mlflow_that_is_away_itself_is_not_the_store_s_fault(embedded: Registry, location: str, said: str) -> None:
    error = MlflowException(f"API request to http://mlflow/api/2.0/mlflow{said}")
    away = pytest.raises(RegistryUnreachable, match="can't be reached: start it")
    with away, embedded.answering(), storing(embedded, of_run(location)):
        raise error


@pytest.mark.parametrize("error", [ClientAuthenticationError("expired"), CredentialUnavailableError("nobody")])
def test_azure_that_gives_no_token_lets_nobody_store(error: Exception) -> None:
    refused = store_failure("http://mlflow", of_run(AZURE), error)
    assert type(refused) is ArtifactsRefused
    sign_in = store_failure(WORKSPACE, of_run("azureml://store/paths"), error)
    assert (type(sign_in), "run `az login`" in str(sign_in)) == (CredentialsRefused, True)


def test_azure_whose_store_refuses_a_token_is_told_from_one_that_gives_none() -> None:
    error = ClientAuthenticationError("no right to write")
    error.status_code = 403
    error.response = SimpleNamespace(status_code=403)
    assert type(store_failure(WORKSPACE, of_run("azureml://store/paths"), error)) is ArtifactsRefused


def test_a_server_that_goes_away_meanwhile_is_none() -> None:
    said = "API request to http://mlflow/api/2.0/mlflow-artifacts/artifacts/1 failed with exception Connection refused"
    assert store_failure("http://mlflow", of_run("mlflow-artifacts:/1"), MlflowException(said)) is None


def test_a_full_disk_of_this_machine_is_not_the_store_s_fault(
    embedded: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not-there"))
    with pytest.raises(FileNotFoundError, match="not-there"):
        log_production_run(embedded, record())
