"""How each kind of rule finds its matches. The kinds themselves are described in `rules`."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import regex

from agent.article_view import ArticleView, Unit
from agent.capitals import is_sentence_case, is_title_case
from agent.readability import flesch, words
from agent.rules import (
    ANY_TOKEN,
    Capitalization,
    Conditional,
    Consistency,
    Existence,
    Occurrence,
    Readability,
    Repetition,
    Rule,
    Substitution,
)
from agent.search import Search, refuse_numbers, words_pattern
from agent.sentences import sentences


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule found: `article.text[start:end]`."""

    start: int
    end: int
    message: str
    suggestions: tuple[str, ...] = ()


Found = regex.Match[str]
Matcher = Callable[[ArticleView], Iterator[Match]]


class _Exceptions:
    """Matches that lie within a match of an exception, or have one in them, don't count."""

    def __init__(self, rule: Rule) -> None:
        pattern = words_pattern(rule.exceptions)
        self._search = Search(pattern, rule.scope, rule.ignorecase) if rule.exceptions else None

    def run(self) -> Callable[[Unit, int, int], bool]:
        """For one article: whether a stretch of a unit is excused."""
        if self._search is None:
            return lambda _unit, _start, _end: False
        run = self._search.run()
        last: tuple[Unit | None, list[tuple[int, int]]] = (None, [])

        def excused(unit: Unit, start: int, end: int) -> bool:
            nonlocal last
            if last[0] is not unit:  # matches in one unit come in a row
                last = (unit, [found.span() for found in run.over(unit)])
            after = bisect_left(last[1], (start, 0))  # the first that doesn't begin before
            near = last[1][max(0, after - 1) : after + 1]
            return any((a <= start and end <= b) or (start <= a and b <= end) for a, b in near)

        return excused


class ExistenceMatcher:
    """`raw` joined, then any of the tokens."""

    def __init__(self, rule: Existence) -> None:
        self._rule = rule
        tokens = words_pattern(rule.tokens, nonword=rule.nonword) if rule.tokens else ""
        self._search = Search("".join(rule.raw) + tokens, rule.scope, rule.ignorecase)
        self._exceptions = _Exceptions(rule)

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        excused = self._exceptions.run()
        for unit, found in self._search.over(view):
            if not excused(unit, found.start(), found.end()):
                message = self._rule.message.replace("%s", found[0])
                yield _match(unit, found.start(), found.end(), message, self._rule.suggestions)


class SubstitutionMatcher:
    """Each pattern is a group of its own; the longer patterns are tried first."""

    def __init__(self, rule: Substitution) -> None:
        self._rule = rule
        self._pairs = sorted(rule.swap.items(), key=lambda pair: -len(pair[0]))
        refuse_numbers(rule.swap)
        groups = (f"(?P<swap{number}>{pattern})" for number, (pattern, _) in enumerate(self._pairs))
        self._search = Search(words_pattern(groups, nonword=rule.nonword), rule.scope, rule.ignorecase)
        self._exceptions = _Exceptions(rule)

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        excused = self._exceptions.run()
        for unit, found in self._search.over(view):
            observed = found[0]
            replacements = tuple(part for part in self._replacement(found).split("|") if part)
            suggestions = tuple(_in_case_of(observed, replacement) for replacement in replacements)
            if observed in (*replacements, *suggestions) or excused(unit, found.start(), found.end()):
                continue
            message = self._rule.message.replace("%s", _either(replacements), 1).replace("%s", observed)
            yield _match(unit, found.start(), found.end(), message, suggestions)

    def _replacement(self, found: Found) -> str:
        for number, (_, replacement) in enumerate(self._pairs):
            if found[f"swap{number}"] is not None:
                return replacement
        raise AssertionError("a match lies in one of the groups")


class OccurrenceMatcher:
    """Counts in each unit; what is found is the stretch from the first match to the last."""

    def __init__(self, rule: Occurrence) -> None:
        self._rule = rule
        self._search = Search(rule.token, rule.scope, rule.ignorecase)
        self._exceptions = _Exceptions(rule)

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        run, excused = self._search.run(), self._exceptions.run()
        for unit in view.units(self._rule.scope):
            found = [match for match in run.over(unit) if not excused(unit, match.start(), match.end())]
            message = self._rule.message.replace("%s", str(len(found)))
            if self._rule.max is not None and len(found) > self._rule.max:
                yield _match(unit, found[0].start(), found[-1].end(), message)
            elif self._rule.min is not None and len(found) < self._rule.min:
                yield _match(unit, 0, len(unit.text), message)


class RepetitionMatcher:
    """The same token twice with nothing but white space between; case doesn't matter with `ignorecase`."""

    def __init__(self, rule: Repetition) -> None:
        self._rule = rule
        self._search = Search(words_pattern(rule.tokens, nonword=True), rule.scope, rule.ignorecase)
        self._exceptions = _Exceptions(rule)

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        excused = self._exceptions.run()
        for unit, tokens in self._tokens(view):
            for first, second in pairwise(tokens):
                if self._same(first, second, unit) and not excused(unit, first.start(), second.end()):
                    message = self._rule.message.replace("%s", second[0])
                    yield _match(unit, first.start(), second.end(), message, (first[0],))

    def _tokens(self, view: ArticleView) -> Iterator[tuple[Unit, list[Found]]]:
        any_word = self._rule.tokens == ANY_TOKEN
        units = view.repeating_units(self._rule.scope) if any_word else view.units(self._rule.scope)
        run = self._search.run()
        for unit in units:
            yield unit, run.over(unit)

    def _same(self, first: Found, second: Found, unit: Unit) -> bool:
        if self._rule.alpha and not second[0].isalpha():
            return False
        if unit.text[first.end() : second.start()].strip():
            return False
        return _fold(first[0], self._rule.ignorecase) == _fold(second[0], self._rule.ignorecase)


class ConsistencyMatcher:
    """Of each pair, the rarer spelling is found wherever it stands; of two as frequent, the one that comes later.

    With `exempt`, what stands in quotation marks counts as neither.
    """

    def __init__(self, rule: Consistency, *, exempt: bool) -> None:
        self._rule = rule
        self._exempt = exempt
        self._exceptions = _Exceptions(rule)
        self._pairs = [(self._spelling(one), self._spelling(other)) for one, other in rule.either.items()]
        # A pattern stands for several forms, and the earlier one may be another than is wanted.
        self._plain = [one.isalpha() and other.isalpha() for one, other in rule.either.items()]

    def _spelling(self, pattern: str) -> Search:
        source = words_pattern((pattern,), nonword=self._rule.nonword)
        return Search(source, self._rule.scope, self._rule.ignorecase)

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        for pair, plain in zip(self._pairs, self._plain, strict=True):
            first, second = (self._uses(spelling, view) for spelling in pair)
            if not first or not second:
                continue
            kept, mended = sorted((first, second), key=_commoner_then_earlier)
            for unit, found in mended:
                message = self._rule.message.replace("%s", found[0])
                suggestions = (_in_case_of(found[0], kept[0][1][0]),) if plain else ()
                yield _match(unit, found.start(), found.end(), message, suggestions)

    def _uses(self, spelling: Search, view: ArticleView) -> list[tuple[Unit, Found]]:
        excused = self._exceptions.run()
        return [
            (unit, found)
            for unit, found in spelling.over(view)
            if not excused(unit, found.start(), found.end())
            and not (self._exempt and view.is_quoted(unit.start + found.start(), unit.start + found.end()))
        ]


def _commoner_then_earlier(uses: list[tuple[Unit, Found]]) -> tuple[int, int]:
    unit, found = uses[0]
    return -len(uses), unit.start + found.start()


class ConditionalMatcher:
    """`second` anywhere in the article excuses every `first` with the same words."""

    def __init__(self, rule: Conditional) -> None:
        self._rule = rule
        self._first = Search(rule.first, rule.scope, rule.ignorecase)
        self._second = Search(rule.second, rule.scope, rule.ignorecase)
        self._exceptions = _Exceptions(rule)

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        excused = self._exceptions.run()
        defined: set[str] | None = None
        for unit, found in self._first.over(view):
            if defined is None:
                defined = {match[1] or "" if match.re.groups else "" for _, match in self._second.over(view)}
            group = 1 if found.re.groups else 0
            if (found[group] or "") in defined or "" in defined:
                continue
            if not excused(unit, *found.span(group)):
                yield _match(unit, found.start(), found.end(), self._rule.message.replace("%s", found[0]))


class CapitalizationMatcher:
    """What is found is the whole unit."""

    def __init__(self, rule: Capitalization) -> None:
        self._rule = rule
        self._search = None if rule.match.startswith("$") else Search(rule.match, rule.scope, rule.ignorecase)
        self._exceptions = _Exceptions(rule)
        self._word_by_word = rule.match in ("$title", "$sentence")  # exceptions are words there

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        run = self._search and self._search.run()
        excused = self._exceptions.run()
        for unit in view.units(self._rule.scope):
            if run.is_in(unit) if run else self._is_right(unit):
                continue
            if self._word_by_word or not excused(unit, 0, len(unit.text)):
                yield _match(unit, 0, len(unit.text), self._rule.message.replace("%s", unit.text))

    def _is_right(self, unit: Unit) -> bool:
        rule = self._rule
        match rule.match:
            case "$lower":
                return unit.text == unit.text.lower()
            case "$upper":
                return unit.text == unit.text.upper()
            case "$title":
                return is_title_case(unit.text, style=rule.style, exceptions=rule.exceptions)
        return is_sentence_case(unit.text, exceptions=rule.exceptions, indicators=rule.indicators)


class ReadabilityMatcher:
    """What is found is the whole unit."""

    def __init__(self, rule: Readability) -> None:
        self._rule = rule

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        for unit in view.units(self._rule.scope):
            if len(words(unit.text)) < self._rule.min_words:
                continue
            ease = flesch(unit.text, max(1, sum(1 for _ in sentences(unit.text))))
            if ease < self._rule.min:
                yield _match(unit, 0, len(unit.text), self._rule.message.replace("%s", f"{ease:.0f}"))


class UnquotedMatcher:
    """The matches of another that don't stand in quotation marks."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        return (match for match in self._matcher(view) if not view.is_quoted(match.start, match.end))


class OnceMatcher:
    """Of the matches of another that have the same words, the first."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def __call__(self, view: ArticleView) -> Iterator[Match]:
        seen: set[str] = set()
        for match in self._matcher(view):
            words = view.text[match.start : match.end].casefold()
            if words not in seen:
                seen.add(words)
                yield match


_MATCHERS: dict[type, Callable[[Any], Matcher]] = {
    Existence: ExistenceMatcher,
    Substitution: SubstitutionMatcher,
    Occurrence: OccurrenceMatcher,
    Repetition: RepetitionMatcher,
    Conditional: ConditionalMatcher,
    Capitalization: CapitalizationMatcher,
    Readability: ReadabilityMatcher,
}


def matcher(rule: Rule, *, exempt: bool = False) -> Matcher:
    """The matcher of a rule; raises PatternError when one of its patterns doesn't compile.

    With `exempt` words in quotation marks don't count, neither as a match nor as the first of several.
    """
    found: Matcher = (
        ConsistencyMatcher(rule, exempt=exempt) if isinstance(rule, Consistency) else _MATCHERS[type(rule)](rule)
    )
    if exempt:
        found = UnquotedMatcher(found)
    return OnceMatcher(found) if rule.once else found


def _match(unit: Unit, start: int, end: int, message: str, suggestions: tuple[str, ...] = ()) -> Match:
    return Match(unit.start + start, unit.start + end, message, suggestions)


def _fold(text: str, ignorecase: bool) -> str:
    return text.casefold() if ignorecase else text


def _either(words: tuple[str, ...]) -> str:
    """What stands for %s, which the message puts in single quotes: 'a', or 'a' or 'b'."""
    if len(words) < 2:
        return words[0] if words else ""
    return "', '".join(words[:-1]) + "' or '" + words[-1]


def _in_case_of(observed: str, replacement: str) -> str:
    """Keeps the capital of a sentence's first word."""
    if observed[:1].isupper() and replacement[:1].islower() and replacement == replacement.lower():
        return replacement[:1].upper() + replacement[1:]
    return replacement
