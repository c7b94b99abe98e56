"""The store of MLflow's artifacts, which may be away while MLflow itself answers.

MLflow's client lets through what the store's own library raises: Azure's, Amazon's or Google's, the file system, or
requests where MLflow's server hands the artifacts on.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from registry import azure
from registry.connection import Registry, without_password
from registry.errors import ArtifactsRefused, ArtifactsUnreachable, RegistryError

PROXIED = "mlflow-artifacts:"  # MLflow's server hands them on
MLFLOW_ITSELF = "/api/2.0/mlflow/"  # in what is said of a call that asks for no artifacts
LIBRARIES = frozenset({"azure", "boto3", "botocore", "google", "requests"})
DENIED = frozenset({401, 403})
BUSY = frozenset({408, 429})
NOT_FOUND = 404
CLIENT_ERRORS = range(400, 500)

_OF_ONE = re.compile(r"(/models)?/[^/]+/artifacts/?$")  # the end of the address of a run's artifacts or a version's
_TOO_MANY = re.compile(r"too many (\d{3}) error responses")  # MLflow's client says a status only so
_QUERY = re.compile(r"\?[^\s'\"<>=]+=[^\s'\")<>]*")  # of an address: it may hold a signature
_MOST = 300  # characters of a reason


def store(registry: Registry, uri: str, files: Mapping[str, bytes]) -> None:
    """Writes files, by their paths, beside the artifacts at `uri`."""
    if not files:
        return
    with tempfile.TemporaryDirectory(prefix="copydesk-") as folder:
        for path, content in files.items():  # not while `storing`: a full disk of this machine isn't the store's fault
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        with storing(registry, uri):
            artifacts = get_artifact_repository(uri, tracking_uri=registry.uri)
            for path in files:
                within = str(PurePosixPath(path).parent)
                artifacts.log_artifact(  # type: ignore[no-untyped-call]
                    str(Path(folder) / path), None if within == "." else within
                )


def names_of(registry: Registry, uri: str) -> set[str]:
    """Of the artifacts at `uri`, without those in folders."""
    with storing(registry, uri, reading=True):
        artifacts = get_artifact_repository(uri, tracking_uri=registry.uri)
        return {artifact.path for artifact in artifacts.list_artifacts()}


def read(registry: Registry, uri: str, path: str) -> bytes:
    """One of the artifacts at `uri`."""
    with tempfile.TemporaryDirectory(prefix="copydesk-") as folder:
        with storing(registry, uri, reading=True):
            artifacts = get_artifact_repository(uri, tracking_uri=registry.uri)
            file = artifacts.download_artifacts(path, folder)  # type: ignore[no-untyped-call]
        return Path(file).read_bytes()


@contextmanager
def storing(registry: Registry, uri: str, *, reading: bool = False) -> Iterator[None]:
    """Turns what the store of the artifacts at `uri` raises inside into a RegistryError that names its address.

    ArtifactsUnreachable and ArtifactsRefused are outages, since they hold for all runs.
    """
    try:
        yield
    except RegistryError:
        raise
    except Exception as error:
        failure = store_failure(registry.uri, uri, error, reading=reading)
        if failure is None:
            raise
        raise failure from error


def store_failure(tracking_uri: str, uri: str, error: Exception, *, reading: bool = False) -> RegistryError | None:
    """What it means for the artifacts at `uri`; None for an error that their store has no part in."""
    proxied = uri.startswith(PROXIED)
    status = _status(error)
    no_token = status not in DENIED and azure.is_no_token(error)
    if no_token and tracking_uri.startswith(azure.SCHEME):
        return azure.azure_failure(without_password(tracking_uri), error)
    if (isinstance(error, MlflowException) and MLFLOW_ITSELF in str(error)) or (
        status is None and not _is_away(error, proxied=proxied)
    ):
        return None
    does, stores = ("read", "hands out") if reading else ("write", "stores")
    if proxied:
        where = f"MLflow at {without_password(tracking_uri)}"
        way_out = "look at its log, and at the store that its --artifacts-destination names"
    else:
        where = f"MLflow's artifact store {_address(uri)}"
        way_out = f"bring it back, or let this machine reach it and {does} there"
    if status in DENIED or no_token:
        return ArtifactsRefused(
            f"{where} lets nobody {does} artifacts with these credentials: give this machine the right to {does} there "
            f"({_reason(error, status)})"
        )
    no_container = status == NOT_FOUND and not reading and not proxied  # nothing else can miss while it is written to
    if status in CLIENT_ERRORS and status not in BUSY and not no_container:
        return RegistryError(f"{where} refused an artifact: {_reason(error, status)}")
    return ArtifactsUnreachable(f"{where} {stores} no artifacts: {way_out} ({_reason(error, status)})")


def _status(error: Exception) -> int | None:
    """That the store answered with; None where it didn't."""
    if isinstance(error, MlflowException):
        said = _TOO_MANY.search(str(error))
        return int(said[1]) if said else None
    if not _libraries(error):
        return None
    answer = getattr(error, "response", None)  # of requests, Azure and Amazon
    if isinstance(answer, dict):  # Amazon's
        found = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        found = getattr(answer, "status_code", None) or getattr(error, "code", None)  # the latter Google's
    if found is None and isinstance(error.__context__, Exception) and _libraries(error.__context__):
        return _status(error.__context__)  # boto3 says why an upload failed only there
    return int(found) if isinstance(found, int) else None


def _is_away(error: Exception, *, proxied: bool) -> bool:
    if isinstance(error, MlflowException):
        # MLflow's server makes us wait while it waits for the store; whatever else it is, the server itself is away.
        return str(error).startswith("API request to") and (not proxied or "Read timed out" in str(error))
    return isinstance(error, OSError | ImportError) or bool(_libraries(error))


def _libraries(error: Exception) -> set[str]:
    """Those that have made the kind of the error; their names, since not all of them are installed."""
    return {kind.__module__.partition(".")[0] for kind in type(error).__mro__} & LIBRARIES


def _address(uri: str) -> str:
    """Of all that lies beside it, without what in it is secret."""
    return without_password(_OF_ONE.sub("", uri.partition("?")[0]))


def _reason(error: Exception, status: int | None) -> str:
    if isinstance(error, MlflowException) and status is not None:
        return f"it answers {status}"
    if isinstance(error, MlflowException) and "Read timed out" in str(error):
        return "it does not answer in time"
    return without_password(_QUERY.sub("", " ".join(str(error).split())))[:_MOST] or type(error).__name__
