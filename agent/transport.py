"""One call to the endpoint: a request's body in, what came back out. No retries, no reading of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


class Transport(Protocol):
    """Carries one call. `url` is for messages."""

    url: str

    async def send(self, body: dict[str, Any]) -> RawAnswer:
        """Any answer, whatever its status; raises ModelError `timeout` or `unreachable` when there is none."""

    async def close(self) -> None: ...
