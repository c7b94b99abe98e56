"""What the model answers, guideline by guideline."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.scripted_model.question import Question

FOREVER = 600.0  # seconds: for as long as the model runs


@dataclass(frozen=True)
class Scripted:
    """One answer about one guideline, or a way to give none."""

    findings: tuple[dict[str, Any], ...] = ()
    guideline: str | None = None  # another id than was asked about
    left_out: bool = False  # the guideline isn't in the answer
    # What is set from here on is how the whole call comes out.
    text: str | None = None
    status: int = 200
    error: dict[str, Any] = field(default_factory=dict)  # fields of an error body
    body: str | None = None  # instead of a completion
    finish_reason: str = "stop"
    refusal: str | None = None
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False  # the connection is closed without an answer

    @property
    def takes_over(self) -> bool:
        """Whether it decides how the whole call comes out."""
        odd = self.text is not None or self.body is not None or self.refusal is not None or self.cut
        return odd or self.status != 200 or self.finish_reason != "stop" or self.seconds > 0


Rule = Callable[[Question], Scripted]
Script = Mapping[str, Sequence[Scripted] | Rule]


def finds(*quotes: str, paragraph: int = 1, suggestion: str = "") -> Scripted:
    """An answer with these quotes."""
    return Scripted(
        tuple(
            {"quote": quote, "paragraph": paragraph, "explanation": f"about {quote}", "suggestion": suggestion}
            for quote in quotes
        )
    )


def answer_text(question: Question, answers: Mapping[str, Scripted]) -> str:
    """The JSON that a model answers with."""
    checks = [
        {"guideline": answers[id].guideline or id, "findings": list(answers[id].findings)}
        for id in question.guidelines
        if not answers[id].left_out
    ]
    return json.dumps({"checks": checks})
