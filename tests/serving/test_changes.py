"""Why a finding is new, as a table."""

import pytest

from agent.article import Article
from agent.graph import Agent
from agent.spec import AgentSpec
from serving.changes import Before, Note, notes
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.build import story

RULES = {"plain-words": "1", "attribution": "2"}
BOTH = frozenset(RULES)
TEXT = "We utilise experts.\n\nOf course experts say so."


async def noted(before: Before, article: Article, rules: dict[str, str] = RULES) -> dict[str, Note]:
    """By the words."""
    found = (await Agent(AgentSpec(pack=pack(guideline(), prompt_guideline()))).check(article)).findings
    told = notes(before, rules, found, article)
    return {finding.quote: told[finding.fingerprint] for finding in found if finding.fingerprint in told}


@pytest.mark.parametrize(
    ("rules", "checked", "text", "expected"),
    [
        ({}, BOTH, TEXT, {"utilise": Note.NEW_RULE, "experts say": Note.NEW_RULE}),
        ({**RULES, "attribution": "1"}, BOTH, TEXT, {"experts say": Note.CHANGED_RULE}),
        (RULES, BOTH, TEXT, {}),
        (RULES, BOTH, "We use experts.\n\nOf course experts say so.", {"utilise": Note.CHANGED_TEXT}),
        (RULES, BOTH, "We  UTILISE experts.\n\nOf course experts say so.", {}),
        ({"plain-words": "0"}, BOTH, "", {"utilise": Note.CHANGED_TEXT, "experts say": Note.NEW_RULE}),
        ({**RULES, "attribution": "1"}, {"plain-words"}, TEXT, {}),
    ],
    ids=["new", "changed", "missed then", "words are new", "only their case is", "new words first", "not asked for"],
)
async def test_why_a_finding_is_new(
    rules: dict[str, str], checked: set[str], text: str, expected: dict[str, Note]
) -> None:
    assert await noted(Before(rules, frozenset(checked), frozenset(), text), story()) == expected


async def test_what_was_found_before_has_no_note() -> None:
    found = (await Agent(AgentSpec(pack=pack())).check(story())).findings
    before = Before({}, frozenset(), frozenset(finding.fingerprint for finding in found), "")
    assert await noted(before, story()) == {}
