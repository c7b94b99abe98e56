"""The way to MLflow: connected once, quiet, and quick to say that nobody answers."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from registry import azure
from registry.errors import CredentialsRefused, RegistryError, RegistryUnreachable
from registry.settings import RegistrySettings

ABSENT = "RESOURCE_DOES_NOT_EXIST"
ALREADY_THERE = "RESOURCE_ALREADY_EXISTS"
logger = logging.getLogger(__name__)

_SQLITE = "sqlite:///"
_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@/\s]+@")
_ROW_REFUSED = "BAD_REQUEST"  # what MLflow's stores make of a constraint that the database holds to
_REFUSED = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED"})


@dataclass(frozen=True)
class Registry:
    """An MLflow, as it was reached."""

    settings: RegistrySettings
    client: MlflowClient

    @property
    def uri(self) -> str:
        return self.settings.tracking_uri

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turns what MLflow raises inside into a RegistryError that names its address."""
        with answering(self.uri):
            yield

    def put(self, write: Callable[[], object]) -> None:
        """Does a write that makes a row or changes it, though another process makes the same row at that moment.

        MLflow looks for the row before it inserts it, so the later of two is refused. The same write, done again, finds
        the row and changes it.
        """
        with self.answering():
            try:
                write()
            except MlflowException as error:
                if error.error_code != _ROW_REFUSED:
                    raise
                write()

    def experiment_id(self, name: str) -> str:
        """The id of an experiment, made when it isn't there."""
        with self.answering():
            if found := self.client.get_experiment_by_name(name):
                if found.lifecycle_stage == "deleted":
                    raise RegistryError(
                        f"experiment {name!r} of {without_password(self.uri)} was deleted: bring it back with "
                        f"`mlflow experiments restore --experiment-id {found.experiment_id}`"
                    )
                return str(found.experiment_id)
            location = (self.settings.artifact_root / name).as_uri() if self.settings.embedded else None
            try:
                return str(self.client.create_experiment(name, artifact_location=location))
            except MlflowException:
                found = self.client.get_experiment_by_name(name)  # another process was first
                if found is None:
                    raise
                return str(found.experiment_id)


def connect(settings: RegistrySettings, *, may_be_down: bool = False) -> Registry:
    """Points MLflow at the settings' address, for the whole process, and asks it one thing.

    Raises RegistryUnreachable within seconds when nobody answers; with `may_be_down` a server that doesn't is only
    logged, because versions that were loaded before are kept on this machine.
    """
    _prepare(settings)
    on_azure = settings.tracking_uri.startswith(azure.SCHEME)
    if on_azure:
        azure.must_be_usable(settings.tracking_uri)
    _point_at(settings.tracking_uri)
    if settings.embedded:
        _prepare_database(settings)  # before the client, which would make the tables in place
    try:
        with answering(settings.tracking_uri):
            if on_azure:
                azure.must_have_a_token(settings.tracking_uri)
            _client(settings.tracking_uri).search_experiments(max_results=1)
    except RegistryError as error:
        # Azure's sign-in that is away can't be told from one that was taken away.
        is_away = isinstance(error, RegistryUnreachable) or (on_azure and isinstance(error, CredentialsRefused))
        if not is_away or settings.embedded or not may_be_down:
            raise
        logger.warning("%s", error)
    return Registry(settings, _client(settings.tracking_uri))


def _client(uri: str) -> MlflowClient:
    return MlflowClient(uri, uri)


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turns what MLflow raises inside into a RegistryError that names the address, without its password."""
    address = without_password(uri)
    try:
        yield
    except MlflowException as error:
        raise _translated(address, error) from error
    except SQLAlchemyError as error:
        raise RegistryUnreachable(
            f"MLflow's database {address} can't be used: repair it or name another in MLFLOW_TRACKING_URI "
            f"({_one_line(error)})"
        ) from error
    except Exception as error:
        failure = azure.azure_failure(address, error) if uri.startswith(azure.SCHEME) else None
        if failure is None:
            raise
        raise failure from error


def without_password(text: str) -> str:
    """A text with the password of every address in it as ***."""
    return _PASSWORD.sub(r"\1:***@", text)


def _one_line(error: Exception) -> str:
    return without_password(" ".join(str(error).split()))[:300]


def _translated(address: str, error: MlflowException) -> RegistryError:
    reason = _one_line(error)
    if error.error_code in _REFUSED:
        return CredentialsRefused(
            f"MLflow at {address} refuses these credentials: set MLFLOW_TRACKING_USERNAME and "
            f"MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN ({reason})"
        )
    unanswered = not isinstance(error, RestException) and reason.startswith("API request to")
    if unanswered or error.error_code == "TEMPORARILY_UNAVAILABLE":
        return RegistryUnreachable(
            f"MLflow at {address} can't be reached: start it or set MLFLOW_TRACKING_URI; "
            f"unset it for the embedded one ({reason})"
        )
    return RegistryError(f"MLflow at {address} refused: {reason}")


def _point_at(uri: str) -> None:
    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    # MLflow also writes the address to the environment, where the next settings would read it.
    if before is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    else:
        os.environ["MLFLOW_TRACKING_URI"] = before


def _prepare_database(settings: RegistrySettings) -> None:
    uri = settings.tracking_uri
    if not uri.startswith(_SQLITE):
        _probe(uri)
        return
    database = Path(uri.removeprefix(_SQLITE))
    if database.exists():
        return
    from registry.embedded import create_database  # with a server none of MLflow's database code is needed

    try:
        create_database(database, settings.artifact_root)
    except OSError as error:
        raise RegistryUnreachable(
            f"the embedded MLflow can't be kept in {database.parent}: set COPYDESK_HOME to a folder "
            f"you may write to ({error})"
        ) from error


def _probe(uri: str) -> None:
    """MLflow itself would try for 100 s."""
    try:
        with answering(uri):
            create_engine(uri).connect().close()
    except ModuleNotFoundError as error:
        raise RegistryUnreachable(
            f"the driver for {without_password(uri)} isn't installed: install {error.name}, or `copydesk[azure]`"
        ) from error


def _prepare(settings: RegistrySettings) -> None:
    """MLflow takes these from the environment only."""
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(settings.mlflow_timeout_seconds)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = str(settings.mlflow_retries)
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    for name in ("alembic", "azure.identity", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
