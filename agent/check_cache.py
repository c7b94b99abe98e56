"""Finished checks, kept by content: what didn't change isn't asked again.

The key of a verdict holds everything it depends on: guideline, text and declared context, model and parameters, the
form of the question, and the code that read the answer. Failures are never kept.
"""

import hashlib
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.guideline import Guideline
from agent.prompts import guideline_part
from agent.spec import AgentSpec
from agent.units import Unit, Units

logger = logging.getLogger(__name__)


class KeptFinding(BaseModel):
    """A finding in a unit, relative to it, so that it holds wherever the unit moves to."""

    model_config = ConfigDict(frozen=True)

    paragraph: int  # position among the unit's asked paragraphs
    start: int  # in the paragraph's text, code points
    end: int
    explanation: str
    suggestion: str


class KeptVerdict(BaseModel):
    """What the model found in one unit; no findings: it is clear."""

    model_config = ConfigDict(frozen=True)

    findings: tuple[KeptFinding, ...] = ()
    unanchored: int = 0


class KeyValues(Protocol):
    """Where verdicts are kept. A store that is down may lose them, and then raises nothing: they are asked again."""

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        """The values of those keys that are kept."""

    async def put(self, values: Mapping[str, bytes]) -> None: ...


class MemoryKeyValues:
    """The newest values of one process."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._values: OrderedDict[str, bytes] = OrderedDict()

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        found = {key: self._values[key] for key in keys if key in self._values}
        for key in found:
            self._values.move_to_end(key)
        return found

    async def put(self, values: Mapping[str, bytes]) -> None:
        for key, value in values.items():
            self._values[key] = value
            self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)


class CheckCache:
    """The kept verdicts of one version."""

    def __init__(self, store: KeyValues, spec: AgentSpec) -> None:
        self._store = store
        self._basis = spec.basis

    def keys(self, guideline: Guideline, units: Units) -> dict[Unit, str]:
        """The key of each unit of an article, under which a guideline's verdict on it is kept.

        Units that are alike are told apart by their order: a model may have judged them differently.
        """
        question = (self._basis, guideline.id, str(guideline.scope), guideline_part(guideline))
        begun = hashlib.sha256("\x00".join(question).encode())
        found: dict[Unit, str] = {}
        alike: Counter[bytes] = Counter()
        for unit in units.of(guideline):
            content = units.digest(unit)
            digest = begun.copy()
            digest.update(content + alike[content].to_bytes(4))
            alike[content] += 1
            found[unit] = digest.hexdigest()
        return found

    async def get(self, keys: Iterable[str]) -> dict[str, KeptVerdict]:
        """Kept verdicts by key. One that can't be read counts as not kept."""
        found: dict[str, KeptVerdict] = {}
        for key, value in (await self._store.get(list(keys))).items():
            try:
                found[key] = KeptVerdict.model_validate_json(value)
            except ValidationError:
                logger.warning("the kept check %s can't be read and is made again", key)
        return found

    async def put(self, verdicts: Mapping[str, KeptVerdict]) -> None:
        await self._store.put({key: verdict.model_dump_json().encode() for key, verdict in verdicts.items()})
