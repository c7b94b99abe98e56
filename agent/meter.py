"""What a check has cost so far, for whoever may stop it before it has a report."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.check import Usage
from agent.errors import ModelError

if TYPE_CHECKING:  # whoever reckons needs no model client
    from agent.model import Model, Reply
    from agent.prompts import Message


@dataclass
class Meter:
    """Of one check."""

    answered: Usage = field(default_factory=Usage)
    unanswered: int = 0  # calls that were asked for and neither answered nor refused yet


class MeteredModel:
    """Passes questions on and reckons up the answers."""

    def __init__(self, model: "Model", meter: Meter) -> None:
        self._model = model
        self._meter = meter

    async def complete(self, messages: "list[Message]") -> "Reply":
        self._meter.unanswered += 1
        try:
            reply = await self._model.complete(messages)
        except ModelError:
            self._meter.unanswered -= 1
            raise
        self._meter.unanswered -= 1
        self._meter.answered += reply.usage
        return reply
