"""A model's answer: its schema, and its text to verdicts by guideline, or a named failure."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import ModelError

MAX_EXPLANATION = 600  # characters an editor is shown
MAX_SUGGESTION = 2000


class AnswerFinding(BaseModel):
    """One finding as the model gives it."""

    model_config = ConfigDict(frozen=True)

    quote: str
    paragraph: int
    explanation: str
    suggestion: str


class GuidelineAnswer(BaseModel):
    """What a model found against one guideline."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    findings: tuple[AnswerFinding, ...]


class Answer(BaseModel):
    """What a model answers to the guidelines it was asked about. Keys beside these are left out."""

    model_config = ConfigDict(frozen=True)

    checks: tuple[GuidelineAnswer, ...]


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema() -> dict[str, Any]:
    """The answer in the subset of JSON schema that strict structured output allows."""
    text = {"type": "string"}
    finding = _object({"quote": text, "paragraph": {"type": "integer"}, "explanation": text, "suggestion": text})
    check = _object({"guideline": text, "findings": {"type": "array", "items": finding}})
    return _object({"checks": {"type": "array", "items": check}})


RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "checks", "strict": True, "schema": _schema()},
}


def read_answer(text: str, asked: tuple[str, ...], *, finish_reason: str = "stop") -> dict[str, GuidelineAnswer]:
    """Answers by guideline id. An id that wasn't asked about is left out, and the first of two for one id counts.

    Raises ModelError with reason `length`, `refusal` or `malformed`.
    """
    if finish_reason == "length":
        raise ModelError("length", "the model's answer was cut off at its token limit: raise the version's max_tokens")
    if finish_reason == "content_filter":
        raise ModelError("refusal", "the model refused, or the provider's content filter withheld its answer")
    body = _json_of(text)
    if not body:
        raise ModelError("malformed", "the model's answer was empty")
    try:
        answer = Answer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise ModelError("malformed", f"the model's answer has the wrong shape: {where}: {first['msg']}") from error
    found: dict[str, GuidelineAnswer] = {}
    for check in answer.checks:
        if check.guideline in asked:
            found.setdefault(check.guideline, check)
    return found


def _json_of(text: str) -> str:
    """The JSON object in an answer; models that know no schema wrap it in a fence or a sentence."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text.strip()
