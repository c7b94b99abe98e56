"""A registry in which something else happens just before a call, or a call fails; and a clock that is wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, cast

from mlflow import MlflowClient

from registry.connection import Registry


class TwoHoursAhead(datetime):
    """A promoter's clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(hours=2)


class _Client:
    """MLflow's, but for one of its calls."""

    def __init__(self, client: MlflowClient, call: str, before: Callable[[], None]) -> None:
        self._client, self._call, self._before = client, call, before

    def __getattr__(self, name: str) -> Any:
        if name == self._call:
            self._before()
        return getattr(self._client, name)


def meanwhile(registry: Registry, call: str, do: Callable[[], Any]) -> Registry:
    """Does it once, before the first call of this name."""
    waiting = [do]

    def before() -> None:
        if waiting:
            waiting.pop()()

    return replace(registry, client=cast("MlflowClient", _Client(registry.client, call, before)))


def failing(registry: Registry, call: str, error: Exception) -> Registry:
    """Raises it at every call of this name."""

    def before() -> None:
        raise error

    return replace(registry, client=cast("MlflowClient", _Client(registry.client, call, before)))
