"""Patterns of a guideline file that aren't regular expressions, each with its line."""

from collections.abc import Iterator

from agent.front_matter import Mistake
from agent.guideline_file import GuidelineFile
from agent.patterns import PatternError, compile_rules
from agent.rules import Rule, RuleScope
from agent.search import Search

PATTERN_KEYS = ("raw", "tokens", "exceptions", "token", "first", "second", "match")
Path = tuple[str | int, ...]


def pattern_mistakes(file: GuidelineFile) -> list[Mistake]:
    """One mistake for each rule that doesn't compile, in the line of the pattern at fault."""
    mistakes = []
    for index, rule in enumerate(file.guideline.rules):
        try:
            compile_rules((rule,))
        except PatternError as error:
            path, message = next(_at_fault(rule), ((), str(error)))
            mistakes.append(Mistake(file.line_of_rule(index, *path), message))
    return mistakes


def _at_fault(rule: Rule) -> Iterator[tuple[Path, str]]:
    """The patterns that don't compile by themselves; none where only their combination doesn't."""
    for path, pattern in _patterns(rule):
        try:
            Search(pattern, RuleScope.TEXT)
        except PatternError as error:
            yield path, str(error)


def _patterns(rule: Rule) -> Iterator[tuple[Path, str]]:
    values = rule.model_dump()
    for key in PATTERN_KEYS:
        value = values.get(key, ())
        if isinstance(value, str):
            yield (key,), value
        else:
            yield from (((key, position), pattern) for position, pattern in enumerate(value))
    for one in values.get("swap", {}):
        yield ("swap", one), one
    for one, other in values.get("either", {}).items():
        yield from ((("either", one), one), (("either", one), other))
