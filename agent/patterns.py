"""Deterministic checks: a guideline's rules over an article."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.article_view import ArticleView
from agent.finding import Finding, Method, make_finding
from agent.guideline import Guideline, Quotations
from agent.matchers import Match, Matcher, matcher
from agent.rules import Rule
from agent.search import PATTERN_TIMEOUT_SECONDS, PatternError, PatternTimeout

__all__ = [
    "PATTERN_TIMEOUT_SECONDS",
    "ArticleView",
    "CompiledRules",
    "Match",
    "PatternError",
    "PatternTimeout",
    "check_patterns",
    "compile_rules",
]


@dataclass(frozen=True)
class CompiledRules:
    """Rules ready to run."""

    matchers: Sequence[Matcher]

    def find(self, view: ArticleView) -> list[Match]:
        """Every match in reading order, each span once; raises PatternTimeout."""
        spans: dict[tuple[int, int], Match] = {}
        for find in self.matchers:
            for match in find(view):
                spans.setdefault((match.start, match.end), match)
        return [spans[span] for span in sorted(spans)]


def compile_rules(rules: tuple[Rule, ...], *, quotations: Quotations = Quotations.INCLUDED) -> CompiledRules:
    """Compiles rules; raises PatternError that names the pattern that is wrong."""
    return CompiledRules([matcher(rule, exempt=quotations is Quotations.EXEMPT) for rule in rules])


def check_patterns(guideline: Guideline, view: ArticleView, *, method: Method) -> tuple[Finding, ...]:
    """The findings of a guideline's rules; raises PatternTimeout."""
    return tuple(
        make_finding(
            view.article,
            match.start,
            match.end,
            guideline=guideline.id,
            severity=guideline.severity,
            message=match.message,
            method=method,
            suggestions=match.suggestions,
        )
        for match in _compiled(guideline.digest, guideline).find(view)
        if match.end > match.start
    )


_KEPT_GUIDELINES = 1024


def _compiled(digest: str, guideline: Guideline) -> CompiledRules:
    found = _CACHE.get(digest)
    if found is None:
        if len(_CACHE) >= _KEPT_GUIDELINES:
            _CACHE.clear()
        found = _CACHE[digest] = compile_rules(guideline.rules, quotations=guideline.quotations)
    return found


_CACHE: dict[str, CompiledRules] = {}
