"""What a match of a pattern begins with and contains, so that it is tried only where it can match.

A house style has thousands of words to look for and an article has few of them. Trying a pattern at
the article's own words, marks and digits takes a tenth of the time of scanning for it, and finds the same.
"""

import re
import string
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from re import _constants as ops  # the parser that `re` itself uses
from re import _parser as parser
from typing import Any

KEY_LETTERS = 4  # of a word; enough that few other words share them
LEAD_CHARACTERS = 16  # of what a match begins with
MAX_LEADS = 4000  # of one pattern; beyond, scanning is no slower
MAX_CHOICES = 12  # of one character class
MAX_REQUIRED = 64  # texts to look for before a pattern is tried
DIGIT = "\n"  # the key of every digit; no word and no mark
_WORD = re.compile(r"\w+")
_STOPS = frozenset(",.;:!?)")
_DIGIT = re.compile(r"\d")
_WORD_OR_MARK = re.compile(r"\w+|[^\w\s]")
_REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT}
# Letters and marks of which `re`, `regex` and str.lower say the same: what is a word, and which letters
# differ in nothing but case. Left out are "½", "²", "ſ", "İ", combining marks and whole alphabets.
_FAMILIAR = r"\x00-\xb1\xb4-\xb8\xba\xbb\xbf-\u012f\u0132-\u017e\u0180-\u019a\u019c-\u024f\u2010-\u203e\u20a0-\u20c0"
_UNFAMILIAR = re.compile(f"[^{_FAMILIAR}\u2122\u2190-\u21ff\ufffc\U0001f300-\U0001f64f]")
# Where `regex` understands something that `re` reads as something else: errors allowed in a match
# ("{e<=1}"), sets of sets, ASCII only; and characters in disguise ("\xbd").
_READ_OTHERWISE = re.compile(r"\{[^}]*[^\d,}]|\[\^?\[|\[:\w+:|--|&&|~~|\|\||\(\?[a-zA-Z]*[aLu]|\\[xuUN0-7]")


def is_familiar(text: str) -> bool:
    """Whether the short cuts of this module hold for a text or a pattern."""
    return text.isascii() or not _UNFAMILIAR.search(text)


class WordStarts:
    """Where each word of a text begins, by its first letters in lower case; and where each mark and digit stands."""

    def __init__(self, text: str) -> None:
        """`text` is in lower case and familiar."""
        self._text = text
        starts: defaultdict[str, list[int]] = defaultdict(list)
        self._starts = starts
        start = 0
        for piece in text.split(" "):
            if piece.isalpha():  # 17 of 20 are; nothing is as fast
                starts[piece[:KEY_LETTERS]].append(start)
            elif piece[:-1].isalpha() and piece[-1] in _STOPS:
                starts[piece[:-1][:KEY_LETTERS]].append(start)
                starts[piece[-1]].append(start + len(piece) - 1)
            else:
                for found in _WORD_OR_MARK.finditer(piece):
                    starts[found[0][:KEY_LETTERS]].append(start + found.start())
                for found in _DIGIT.finditer(piece):
                    starts[DIGIT].append(start + found.start())
            start += len(piece) + 1
        self._keys = frozenset(starts)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._keys)

    def of(self, beginnings: "Beginnings") -> list[int]:
        """Every place, in order, where one of the beginnings stands."""
        starts: list[int] = []
        for key in beginnings.keys & self._keys:
            leads = beginnings.by_key[key]
            starts += [start for start in self._starts[key] if self._text.startswith(leads, start)]
        for lead in beginnings.short:
            at = bisect_left(self._sorted, lead)
            while at < len(self._sorted) and self._sorted[at].startswith(lead):
                starts += self._starts[self._sorted[at]]
                at += 1
        return sorted(set(starts))


@dataclass(frozen=True)
class Beginnings:
    """What a match begins with, in lower case: the beginning of a word, a mark or a digit."""

    by_key: dict[str, tuple[str, ...]]  # first KEY_LETTERS letters, a shorter word whole, or a mark -> what begins so
    short: tuple[str, ...]  # shorter beginnings of words

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(self.by_key)


class _AnythingGoes(Exception):
    """A match can begin with more than can be listed."""


@dataclass(frozen=True, slots=True)
class _Lead:
    """The characters a match can begin with, as far as they are known."""

    text: str = ""
    bound: bool = False  # the match is known to begin where a word begins
    whole: bool = False  # the text ends where a word ends
    growing: bool = True

    def literal(self, character: str) -> "_Lead":
        if not self.text and not (self.bound and _is_word(character)):
            if character.isdecimal():
                return self.digit()
            if _is_word(character) or character.isspace():
                raise _AnythingGoes
        if self.whole and _is_word(character):
            return self.stopped()
        text = self.text + character.lower()
        return replace(self, text=text, whole=False, growing=len(text) < LEAD_CHARACTERS)

    def digit(self) -> "_Lead":
        """Any digit; what comes after it is left to the pattern."""
        return self.stopped() if self.text else replace(self, text=DIGIT, growing=False)

    def digits(self) -> "set[_Lead]":
        """Any digit: of the familiar ones, those of ASCII."""
        if self.bound and not self.text:
            return {self.literal(digit).stopped() for digit in string.digits}
        return {self.digit()}

    def ended(self) -> "_Lead":
        """A word ends here, with something that isn't known yet."""
        if not self.text:
            raise _AnythingGoes
        return replace(self, whole=_is_word(self.text[-1]))

    def stopped(self) -> "_Lead":
        """What follows isn't known."""
        if not self.text:
            raise _AnythingGoes
        return replace(self, growing=False)

    @property
    def key(self) -> str:
        """The key of its first word, or its mark or DIGIT; empty where only a shorter beginning of a word is known."""
        word = _WORD.match(self.text)
        if not word:
            return self.text[0]
        letters = word[0]
        known = len(letters) >= KEY_LETTERS or self.whole or len(letters) < len(self.text)
        return letters[:KEY_LETTERS] if known else ""


def beginnings(source: str) -> Beginnings | None:
    """What a match of `source` can begin with; None where that can't be listed."""
    try:
        leads = {lead.stopped() for lead in _after(_parsed(source), {_Lead()})}
    except _AnythingGoes:
        return None
    by_key: dict[str, list[str]] = {}
    for lead in leads:
        if lead.key:
            by_key.setdefault(lead.key, []).append("" if lead.key == DIGIT else lead.text)
    short = tuple(lead.text for lead in leads if not lead.key)
    return Beginnings({key: tuple(texts) for key, texts in by_key.items()}, short)


def required(source: str) -> frozenset[str] | None:
    """Texts in lower case, one of which stands in every match of `source`; None where they can't be listed."""
    try:
        runs = _Runs()
        runs.take(_parsed(source))
    except _AnythingGoes:
        return None
    return runs.best()


def _parsed(source: str) -> Iterable[tuple[Any, Any]]:
    if _READ_OTHERWISE.search(source) or not is_familiar(source):
        raise _AnythingGoes
    try:
        parsed: Iterable[tuple[Any, Any]] = parser.parse(source, re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise _AnythingGoes from error  # `regex` knows more than `re` can read
    return parsed


class _Runs:
    """The literal runs of a sequence; each is a set of texts of which every match has one."""

    def __init__(self) -> None:
        self._run: frozenset[str] = frozenset({""})
        self._found: list[frozenset[str]] = []

    def take(self, items: Iterable[tuple[Any, Any]]) -> None:
        for operation, argument in items:
            if operation in (ops.AT, ops.ASSERT, ops.ASSERT_NOT):
                continue
            if operation is ops.SUBPATTERN:
                self.take(argument[3])
            elif operation is ops.BRANCH:
                self._branches(argument[1])
            elif operation in _REPEATS:
                self._repeat(*argument)
            else:
                self._extend(_characters(operation, argument))

    def best(self) -> frozenset[str] | None:
        """The set of the longest texts."""
        self._extend(None)
        usable = [run for run in self._found if all(run) and len(run) <= MAX_REQUIRED]
        best = max(usable, key=lambda run: (min(map(len, run)), -len(run)), default=None)
        return best and frozenset(text for text in best if not any(other in text for other in best - {text}))

    def _extend(self, characters: frozenset[str] | None) -> None:
        longer = {text + character for text in self._run for character in characters} if characters else set()
        if not longer or len(longer) > MAX_REQUIRED:
            self._found.append(self._run)
            longer = set(characters or {""})
        self._run = frozenset(longer)

    def _branches(self, branches: Iterable[Any]) -> None:
        self._extend(None)
        texts: set[str] = set()
        for branch in branches:
            runs = _Runs()
            runs.take(branch)
            texts |= runs.best() or {""}
        self._found.append(frozenset(texts))

    def _repeat(self, least: int, most: int, items: Sequence[tuple[Any, Any]]) -> None:
        one = _characters(*items[0]) if len(items) == 1 else None
        if one is None:
            self._extend(None)
            if least:
                self.take(items)
            self._extend(None)
        elif least == 0 and most == 1:
            self._run |= {text + character for text in self._run for character in one}
        elif least == 0:
            self._extend(None)
        else:
            for _ in range(least):
                self._extend(one)
            if most > least:  # the run is broken, and goes on after the last of them
                self._found.append(self._run)
                self._run = one


def _characters(operation: Any, argument: Any) -> frozenset[str] | None:  # noqa: ANN401 - the parser's own
    """The characters an item matches, in lower case; None where they can't be listed."""
    if operation is ops.LITERAL:
        return frozenset({chr(argument).lower()})
    if operation is not ops.IN:
        return None
    characters: set[str] = set()
    for kind, value in argument:
        if kind is ops.LITERAL:
            characters.add(chr(value).lower())
        elif kind is ops.RANGE and value[1] - value[0] < MAX_CHOICES:
            characters |= {chr(code).lower() for code in range(value[0], value[1] + 1)}
        else:
            return None
    return frozenset(characters)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def lower(text: str) -> str:
    """In lower case, character by character: the length stays."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _after(items: Iterable[tuple[Any, Any]], leads: set[_Lead]) -> set[_Lead]:
    done: set[_Lead] = set()
    for operation, argument in items:
        done |= {lead for lead in leads if not lead.growing}
        leads = {lead for lead in leads if lead.growing}
        if not leads:
            break
        leads = _step(operation, argument, leads)
        if len(leads) + len(done) > MAX_LEADS:
            raise _AnythingGoes
    return leads | done


def _step(operation: Any, argument: Any, leads: set[_Lead]) -> set[_Lead]:  # noqa: ANN401 - the parser's own
    if operation is ops.LITERAL:
        return {lead.literal(chr(argument)) for lead in leads}
    if operation is ops.AT:
        return {_at(argument, lead) for lead in leads}
    if operation in (ops.ASSERT, ops.ASSERT_NOT):
        return leads
    if operation is ops.SUBPATTERN:
        return _after(argument[3], leads)
    if operation is ops.ATOMIC_GROUP:
        return _after(argument, leads)
    if operation is ops.BRANCH:
        return {lead for branch in argument[1] for lead in _after(branch, leads)}
    if operation in _REPEATS:
        return _repeated(argument, leads)
    if operation is ops.IN:
        return _one_of(argument, leads)
    return {lead.stopped() for lead in leads}


def _at(place: Any, lead: _Lead) -> _Lead:  # noqa: ANN401 - the parser's own
    if place is ops.AT_BOUNDARY:
        return lead.ended() if lead.text else replace(lead, bound=True)
    if place in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING) and not lead.text:
        return replace(lead, bound=True)
    return lead.stopped()


def _repeated(argument: tuple[int, int, Any], leads: set[_Lead]) -> set[_Lead]:
    least, most, items = argument
    once = _after(items, leads)
    if most > 1:
        once = {lead.stopped() if lead.growing else lead for lead in once}
    return once | leads if least == 0 else once


def _one_of(choices: Sequence[tuple[Any, Any]], leads: set[_Lead]) -> set[_Lead]:
    characters: list[str] = []
    for operation, argument in choices:
        if operation is ops.LITERAL:
            characters.append(chr(argument))
        elif operation is ops.RANGE:
            first, last = argument
            characters += map(chr, range(first, min(last, first + MAX_CHOICES) + 1))
        elif operation is ops.CATEGORY and argument is ops.CATEGORY_SPACE and len(choices) == 1:
            return {lead.ended().stopped() for lead in leads}
        elif operation is ops.CATEGORY and argument is ops.CATEGORY_DIGIT and len(choices) == 1:
            return {digit for lead in leads for digit in lead.digits()}
        else:
            return {lead.stopped() for lead in leads}
    if len(characters) > MAX_CHOICES:
        return {lead.stopped() for lead in leads}
    return {lead.literal(character) for lead in leads for character in characters}
