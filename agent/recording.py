"""What a check asked its model and what it heard, kept so that the check can be made again without one.

A recording holds the article, the version with its guidelines, every exchange, the verdicts that were kept from earlier
checks, and the report. Replayed, it gives the same report: all of it but the seconds.
"""

import gzip
import json
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.article import Article
from agent.check import Usage
from agent.check_cache import KeyValues
from agent.errors import CopydeskError, ModelError
from agent.model import Model, Reply
from agent.prompts import Message
from agent.report import ComplianceReport
from agent.spec import AgentSpec
from agent.stored_article import dump_article, load_article

SECONDS = "seconds"  # the field that differs from run to run


class RecordingError(CopydeskError):
    """A recording can't be read or replayed."""

    type = "invalid-recording"


class Exchange(BaseModel):
    """One question with its answer, or why there was none."""

    messages: list[dict[str, str]]
    text: str = ""
    finish_reason: str = ""
    usage: Usage = Usage()
    failure: str = ""  # the reason of a ModelError
    message: str = ""
    retries: int = 0


class Recording(BaseModel):
    """One recorded check. `report` is there once it has ended."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    spec: AgentSpec
    article: str  # as `stored_article` writes it
    guidelines: tuple[str, ...] | None  # that were asked for; None: all
    exchanges: list[Exchange] = Field(default_factory=list)
    kept: dict[str, str] = Field(default_factory=dict)  # verdicts from earlier checks by key
    report: ComplianceReport | None = None

    @classmethod
    def begin(cls, spec: AgentSpec, article: Article, guidelines: tuple[str, ...] | None) -> "Recording":
        return cls(spec=spec, article=dump_article(article).decode(), guidelines=guidelines)

    @property
    def stored_article(self) -> Article:
        return load_article(self.article.encode())

    def dump(self) -> bytes:
        """As JSON, compressed; the same recording gives the same bytes."""
        return gzip.compress(self.model_dump_json().encode(), mtime=0)

    @classmethod
    def load(cls, data: bytes, name: str) -> "Recording":
        """Raises RecordingError when `data`, called `name`, is no recording."""
        try:
            return cls.model_validate_json(gzip.decompress(data))
        except (OSError, EOFError, ValidationError) as error:
            message = f"{name!r} is not a recording: give a file that `copydesk check --record` wrote"
            raise RecordingError(f"{message}, or the id of a recorded run") from error


class RecordingModel:
    """Passes questions on and notes what comes back."""

    def __init__(self, model: Model, recording: Recording) -> None:
        self._model = model
        self._exchanges = recording.exchanges

    async def complete(self, messages: list[Message]) -> Reply:
        try:
            reply = await self._model.complete(messages)
        except ModelError as error:
            failure = Exchange(messages=messages, failure=error.reason, message=str(error), retries=error.retries)
            self._exchanges.append(failure)
            raise
        heard = Exchange(messages=messages, text=reply.text, finish_reason=reply.finish_reason, usage=reply.usage)
        self._exchanges.append(heard)
        return reply


class RecordingKeyValues:
    """Passes everything on and notes the verdicts that were kept."""

    def __init__(self, store: KeyValues, recording: Recording) -> None:
        self._store = store
        self._kept = recording.kept

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        found = await self._store.get(keys)
        self._kept.update((key, value.decode()) for key, value in found.items())
        return found

    async def put(self, values: Mapping[str, bytes]) -> None:
        await self._store.put(values)


class ReplayModel:
    """Answers from a recording: equal questions in the order in which they were answered."""

    def __init__(self, recording: Recording) -> None:
        self._answers: defaultdict[str, deque[Exchange]] = defaultdict(deque)
        for exchange in recording.exchanges:
            self._answers[_key(exchange.messages)].append(exchange)
        self.missing = 0  # questions without a recorded answer

    @property
    def left(self) -> int:
        """Recorded answers that nobody asked for."""
        return sum(len(answers) for answers in self._answers.values())

    async def complete(self, messages: list[Message]) -> Reply:
        answers = self._answers[_key(messages)]
        if not answers:
            self.missing += 1
            raise ModelError("missing-exchange", "the recording has no answer to this question")
        heard = answers.popleft()
        if heard.failure:
            error = ModelError(heard.failure, heard.message)
            error.retries = heard.retries
            raise error
        return Reply(heard.text, heard.finish_reason, heard.usage)


class ReplayKeyValues:
    """The verdicts that a recorded check found kept; what it keeps goes nowhere."""

    def __init__(self, recording: Recording) -> None:
        self._kept = {key: value.encode() for key, value in recording.kept.items()}

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        return {key: self._kept[key] for key in keys if key in self._kept}

    async def put(self, values: Mapping[str, bytes]) -> None:
        """Nothing is kept."""


def without_seconds(report: ComplianceReport) -> str:
    """A report as JSON without what differs from run to run."""
    return json.dumps(_timeless(report.model_dump(mode="json")), sort_keys=True, ensure_ascii=False, indent=1)


def _timeless(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if name != SECONDS}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _key(messages: list[dict[str, str]]) -> str:
    return json.dumps(messages, sort_keys=True)
