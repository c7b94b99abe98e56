"""What every kind of rule may say."""

from typing import Any

from agent.article_view import ArticleView
from agent.patterns import compile_rules
from agent.rules import Existence
from tests.agent.build import article

TEXT = article("Our learnings. Learnings matter.", "More learnings and synergies.")


def found(**fields: Any) -> list[tuple[int, str]]:
    rule = Existence(message="m", tokens=("learnings", "synergies"), ignorecase=True, **fields)
    return [
        (match.start, TEXT.text[match.start : match.end]) for match in compile_rules((rule,)).find(ArticleView(TEXT))
    ]


def test_a_rule_finds_every_match():
    assert found() == [(4, "learnings"), (15, "Learnings"), (39, "learnings"), (53, "synergies")]


def test_a_rule_may_find_the_same_words_once():
    assert found(once=True) == [(4, "learnings"), (53, "synergies")]
