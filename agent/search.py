"""Searching for one pattern: under a timeout, and only where it can match."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import regex

from agent.article_view import PLACEHOLDER, ArticleView, Unit
from agent.errors import CopydeskError
from agent.pattern_leads import Beginnings, beginnings, required
from agent.rules import RuleScope

PATTERN_TIMEOUT_SECONDS = 0.2

Found = tuple[Unit, "regex.Match[str]"]


class PatternError(CopydeskError):
    """A pattern that doesn't compile."""

    type = "invalid-pattern"


class PatternTimeout(CopydeskError):
    """A pattern that took too long: it backtracks catastrophically on this article."""

    type = "pattern-timeout"


@dataclass(frozen=True)
class Search:
    """A pattern over the units of a scope. Raises PatternError when it doesn't compile."""

    source: str
    scope: RuleScope
    ignorecase: bool = False

    def __post_init__(self) -> None:
        _ = self.pattern

    @cached_property
    def pattern(self) -> "regex.Pattern[str]":
        flags = regex.MULTILINE | (regex.IGNORECASE if self.ignorecase else 0)
        try:
            return regex.compile(self.source, flags)
        except regex.error as error:
            raise PatternError(f"pattern {_shown(self.source)} is not a regular expression: {error}") from error

    @cached_property
    def _beginnings(self) -> Beginnings | None:
        return beginnings(self.source)

    @cached_property
    def _required(self) -> frozenset[str] | None:
        return required(self.source)

    def over(self, view: ArticleView) -> Iterator[Found]:
        """Matches in reading order; raises PatternTimeout. A match never covers what isn't text."""
        with _timed(self.source):
            if self._beginnings is not None:
                found = list(self._at(view.word_starts.of(self._beginnings), view))
            else:
                units = view.units_with(self._required, self.scope) if self._required else view.units(self.scope)
                found = [(unit, match) for unit in units for match in self._matches(unit)]
        yield from found

    def _at(self, starts: list[int], view: ArticleView) -> Iterator[Found]:
        """The matches that begin at one of `starts`, none inside another."""
        units = view.units(self.scope) if starts else []
        begins = [unit.start for unit in units]
        free_from = 0
        for start in starts:
            at = bisect_right(begins, start) - 1
            if at < 0 or start < free_from:
                continue
            unit = units[at]
            match = self.pattern.match(unit.text, start - unit.start, timeout=PATTERN_TIMEOUT_SECONDS)
            if match is None:
                continue
            free_from = unit.start + match.end()
            if PLACEHOLDER not in match[0]:
                yield unit, match

    def in_unit(self, unit: Unit) -> list["regex.Match[str]"]:
        """Matches in one unit; raises PatternTimeout."""
        with _timed(self.source):
            return list(self._matches(unit))

    def _matches(self, unit: Unit) -> Iterator["regex.Match[str]"]:
        for match in self.pattern.finditer(unit.text, timeout=PATTERN_TIMEOUT_SECONDS):
            if match.end() > match.start() and PLACEHOLDER not in match[0]:
                yield match


class _timed:  # noqa: N801 - reads as a statement
    """Names the pattern of a timeout."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise PatternTimeout(
                f"pattern {_shown(self._source)} took longer than {PATTERN_TIMEOUT_SECONDS} s on this article: "
                "make it simpler, most likely a repetition inside a repetition"
            ) from error


def words_pattern(tokens: Iterable[str], *, nonword: bool = False) -> str:
    """Any of the tokens, as whole words unless `nonword`."""
    joined = "|".join(token for token in tokens if token.strip())
    return f"(?:{joined})" if nonword else rf"\b(?:{joined})\b"


def _shown(source: str) -> str:
    return repr(source if len(source) <= 80 else f"{source[:77]}...")
