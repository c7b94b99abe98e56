"""Searching for one pattern: under a timeout, and only where it can match."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import regex

from agent.article_view import PLACEHOLDER, ArticleView, Unit
from agent.errors import CopydeskError
from agent.pattern_leads import Beginnings, beginnings, required
from agent.rules import RuleScope

PATTERN_TIMEOUT_SECONDS = 0.2  # of one search in one paragraph or sentence
PATTERN_BUDGET_SECONDS = 1.0  # of processor time, for all of an article; 33,000 words take a sound pattern 0.05
FEW_REQUIRED = 4  # texts; looking for more takes longer than it saves

T = TypeVar("T")
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
        run = self.run()
        if view.is_familiar and self._beginnings is not None:
            starts = view.word_starts.of(self._beginnings)
            found = list(self._at(starts, view, run)) if starts and self._may_stand_in(view.lower_text) else []
        elif view.is_familiar and self._required:
            found = [(unit, match) for unit in view.units_with(self._required, self.scope) for match in run.over(unit)]
        else:
            found = [(unit, match) for unit in view.units(self.scope) for match in run.over(unit)]
        yield from found

    def run(self) -> "Run":
        """For one article, unit by unit."""
        return Run(self.source, self.pattern)

    def _may_stand_in(self, lower_text: str) -> bool:
        texts = self._required
        return not texts or len(texts) > FEW_REQUIRED or any(text in lower_text for text in texts)

    def _at(self, starts: list[int], view: ArticleView, run: "Run") -> Iterator[Found]:
        """The matches that begin at one of `starts`, none inside another."""
        units = view.units(self.scope) if starts else []
        begins = [unit.start for unit in units]
        free_from = 0
        for start in starts:
            at = bisect_right(begins, start) - 1
            if at < 0 or start < free_from:
                continue
            unit = units[at]
            match = run.match(unit, start - unit.start)
            if match is None:
                continue
            free_from = unit.start + match.end()
            if PLACEHOLDER not in match[0]:
                yield unit, match


class Run:
    """One pattern on one article, within PATTERN_BUDGET_SECONDS altogether."""

    def __init__(self, source: str, pattern: "regex.Pattern[str]") -> None:
        self._source = source
        self._pattern = pattern
        self._until = time.thread_time() + PATTERN_BUDGET_SECONDS

    def over(self, unit: Unit) -> list["regex.Match[str]"]:
        """Matches in one unit; raises PatternTimeout."""
        found = self._timed(lambda timeout: list(self._pattern.finditer(unit.text, timeout=timeout)))
        return [match for match in found if match.end() > match.start() and PLACEHOLDER not in match[0]]

    def match(self, unit: Unit, at: int) -> "regex.Match[str] | None":
        """The match that begins at an offset in a unit; raises PatternTimeout."""
        return self._timed(lambda timeout: self._pattern.match(unit.text, at, timeout=timeout))

    def is_in(self, unit: Unit) -> bool:
        """Whether anything in a unit matches, what isn't text included; raises PatternTimeout."""
        return self._timed(lambda timeout: self._pattern.search(unit.text, timeout=timeout)) is not None

    def _timed(self, search: Callable[[float], T]) -> T:
        """A search within what is left. The timeout counts the whole process; only this thread's time is held against
        the pattern, or a busy worker's patterns would seem to be slow."""
        while True:
            begun = time.thread_time()
            left = min(PATTERN_TIMEOUT_SECONDS, self._until - begun)
            if left <= 0:
                raise self._timeout()
            try:
                return search(left)
            except TimeoutError as error:
                if time.thread_time() - begun >= left / 2:
                    raise self._timeout() from error

    def _timeout(self) -> PatternTimeout:
        return PatternTimeout(
            f"pattern {_shown(self._source)} took longer than {PATTERN_TIMEOUT_SECONDS} s on a part of this article, "
            f"or than {PATTERN_BUDGET_SECONDS:g} s on all of it: make it simpler, "
            "most likely a repetition inside a repetition"
        )


_GROUP_NUMBER = regex.compile(r"(?<!\\)(?:\\\\)*\\[1-9]")


def refuse_numbers(patterns: Iterable[str]) -> None:
    """Raises PatternError for a pattern that names a group by its number, where others stand beside it."""
    if numbered := [pattern for pattern in patterns if _GROUP_NUMBER.search(pattern)]:
        raise PatternError(
            f"pattern {_shown(numbered[0])} names a group by its number, and other patterns change that: "
            "give the group a name, (?P<word>...) and (?P=word)"
        )


def words_pattern(tokens: Iterable[str], *, nonword: bool = False) -> str:
    """Any of the tokens, as whole words unless `nonword`; raises PatternError for a group told by its number."""
    tokens = list(tokens)
    if len(tokens) > 1:
        refuse_numbers(tokens)
    joined = "|".join(token for token in tokens if token.strip())
    return f"(?:{joined})" if nonword else rf"\b(?:{joined})\b"


def _shown(source: str) -> str:
    return repr(source if len(source) <= 80 else f"{source[:77]}...")
