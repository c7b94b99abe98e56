"""Small real values for tests of the agent."""

from typing import Any

from agent.article import Article, Block, build_article
from agent.endpoint import Endpoint
from agent.finding import Finding, Method, Severity, make_finding
from agent.guideline import Guideline, GuidelinePack
from agent.rules import Existence
from agent.settings import ModelSettings

OPENED: list[Endpoint] = []  # closed after each test


def article(*paragraphs: str, **facts: Any) -> Article:
    return build_article([Block(text) for text in paragraphs], **facts)


def guideline(id: str = "plain-words", **fields: Any) -> Guideline:
    return Guideline.model_validate(
        {
            "id": id,
            "title": "Use plain words",
            "category": "clarity",
            "severity": "advice",
            "scope": "sentence",
            "kind": "pattern",
            "guidance": "Short words first.",
            "rules": (Existence(message="'%s' is heavy", tokens=("utilise",), ignorecase=True),),
        }
        | fields
    )


def prompt_guideline(id: str = "attribution", **fields: Any) -> Guideline:
    return guideline(
        id,
        **{
            "title": "Attribute claims",
            "severity": "warning",
            "scope": "paragraph",
            "kind": "prompt",
            "instruction": "Find claims without a source.",
            "rules": (Existence(message="Who says so?", tokens=("experts say",), ignorecase=True),),
        }
        | fields,
    )


def pack(*guidelines: Guideline) -> GuidelinePack:
    return GuidelinePack(name="test", guidelines=guidelines or (guideline(), prompt_guideline()))


def endpoint(url: str, **settings: Any) -> Endpoint:
    """An endpoint for tests: it doesn't wait long."""
    quick = {"url": url, "key": "k", "timeout_seconds": 5, "attempts": 2, "backoff_seconds": 0.01}
    OPENED.append(Endpoint(ModelSettings.model_validate(quick | settings)))
    return OPENED[-1]


def finding(guideline: str = "plain-words", severity: Severity = Severity.ADVICE, start: int = 0) -> Finding:
    text = article("word " * 400)
    return make_finding(
        text, start, start + 4, guideline=guideline, severity=severity, message="m", method=Method.PATTERN
    )
