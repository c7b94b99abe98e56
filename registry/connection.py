"""The way to MLflow: connected once, quiet, and quick to say that nobody answers."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from sqlalchemy.exc import SQLAlchemyError

from registry.errors import RegistryError, RegistryUnreachable
from registry.settings import EMBEDDED_SCHEME, RegistrySettings

ABSENT = "RESOURCE_DOES_NOT_EXIST"
ALREADY_THERE = "RESOURCE_ALREADY_EXISTS"
_REFUSED = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED"})


@dataclass(frozen=True)
class Registry:
    """An MLflow that has answered."""

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

    def experiment_id(self, name: str) -> str:
        """The id of an experiment, made when it isn't there."""
        with self.answering():
            if found := self.client.get_experiment_by_name(name):
                if found.lifecycle_stage == "deleted":
                    raise RegistryError(
                        f"experiment {name!r} of {self.uri} was deleted: bring it back with "
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


def connect(settings: RegistrySettings) -> Registry:
    """Points MLflow at the settings' address, for the whole process, and asks it one thing.

    Raises RegistryUnreachable within seconds when nobody answers.
    """
    _prepare(settings)
    _point_at(settings.tracking_uri)
    if settings.embedded:
        _prepare_database(settings)  # before the client, which would make the tables in place
    with answering(settings.tracking_uri):
        client = MlflowClient(settings.tracking_uri, settings.tracking_uri)
        client.search_experiments(max_results=1)
    return Registry(settings, client)


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turns what MLflow raises inside into a RegistryError that names the address."""
    try:
        yield
    except MlflowException as error:
        raise _translated(uri, error) from error
    except SQLAlchemyError as error:  # a database MLflow itself didn't expect
        reason = " ".join(str(error).split())[:300]
        raise RegistryUnreachable(
            f"MLflow's database {uri} can't be used: repair it or name another in MLFLOW_TRACKING_URI ({reason})"
        ) from error


def _translated(uri: str, error: MlflowException) -> RegistryError:
    reason = " ".join(str(error.message).split())[:300]
    if error.error_code in _REFUSED:
        return RegistryError(
            f"MLflow at {uri} refuses these credentials: set MLFLOW_TRACKING_USERNAME and "
            f"MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN ({reason})"
        )
    unanswered = not isinstance(error, RestException) and reason.startswith("API request to")
    if unanswered or error.error_code == "TEMPORARILY_UNAVAILABLE":
        return RegistryUnreachable(
            f"MLflow at {uri} can't be reached: start it or set MLFLOW_TRACKING_URI; "
            f"unset it for the embedded one ({reason})"
        )
    return RegistryError(f"MLflow at {uri} refused: {reason}")


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
    database = Path(settings.tracking_uri.removeprefix(f"{EMBEDDED_SCHEME}///"))
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


def _prepare(settings: RegistrySettings) -> None:
    """MLflow takes these from the environment only."""
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(settings.mlflow_timeout_seconds)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = str(settings.mlflow_retries)
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
