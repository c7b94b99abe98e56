"""Aliases of versions: MLflow's own, or tags of the model where the server knows no aliases, as Azure ML may not.

Reading takes both at once. Which way is written shows when the server refuses.
"""

import logging
from typing import NamedTuple

from mlflow.exceptions import MlflowException

from registry.connection import ABSENT, Registry
from registry.version import MODEL_NAME

logger = logging.getLogger(__name__)

ALIAS_TAG = "copydesk.alias."  # + alias; the value is the version's number
_NO_SUCH_CALL = frozenset({"ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED"})  # 404 and 501


class ModelEntry(NamedTuple):
    """The registered model: where its aliases point, and its tags."""

    aliases: dict[str, int]
    tags: dict[str, str]


def model_entry(registry: Registry) -> ModelEntry:
    """One question to the server; empty before anything is registered."""
    with registry.answering():
        try:
            model = registry.client.get_registered_model(MODEL_NAME)
        except MlflowException as error:
            if error.error_code == ABSENT:
                return ModelEntry({}, {})
            raise
    in_tags = {
        name.removeprefix(ALIAS_TAG): int(value)
        for name, value in model.tags.items()
        if name.startswith(ALIAS_TAG) and value.isdecimal()
    }
    return ModelEntry(in_tags | {name: int(number) for name, number in model.aliases.items()}, dict(model.tags))


def set_alias(registry: Registry, alias: str, number: int) -> None:
    """Points an alias at a version that is there."""
    registry.put(lambda: _write(registry, alias, str(number)))


def _write(registry: Registry, alias: str, number: str) -> None:
    try:
        registry.client.set_registered_model_alias(MODEL_NAME, alias, number)
    except MlflowException as error:
        if error.error_code not in _NO_SUCH_CALL:
            raise
        logger.info("the server has no aliases (%s): %r is kept as a tag", error.error_code, alias)
        registry.client.set_registered_model_tag(MODEL_NAME, f"{ALIAS_TAG}{alias}", number)
