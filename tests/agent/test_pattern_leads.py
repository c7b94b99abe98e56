import re
import sys

import pytest
import regex

from agent.pattern_leads import DIGIT, WordStarts, beginnings, is_familiar, required

FAMILIAR = [c for c in map(chr, range(sys.maxunicode + 1)) if c not in "\x1c\x1d\x1e\x1f" and is_familiar(c)]


@pytest.mark.parametrize("source", [r"\w", r"\d", r"\s"])
def test_both_engines_class_every_familiar_character_alike(source: str):
    assert [c for c in FAMILIAR if bool(re.match(source, c)) != bool(regex.match(source, c))] == []


def test_familiar_characters_that_differ_only_in_case_are_one_in_lower_case():
    text = "".join(FAMILIAR)
    cased = [c for c in FAMILIAR if c.lower() != c or c.upper() != c]
    found = [(c, same) for c in cased for same in regex.findall(regex.escape(c), text, regex.IGNORECASE)]
    assert [(c, same) for c, same in found if c.lower() != same.lower()] == []
    assert [c for c in FAMILIAR if len(c.lower()) != 1] == []


@pytest.mark.parametrize(
    ("source", "by_key", "short"),
    [
        (r"\b(?:Very|in order to)\b", {"very": ("very",), "in": ("in order to",)}, ()),
        (r"\bsynerg\w+", {"syne": ("synerg",)}, ()),
        (r"\ban?\w", {}, ("a", "an")),
        (r"\(c\)|\.\.\.", {"(": ("(c)",), ".": ("...",)}, ()),
        (r"\d{1,2} ?am", {DIGIT: ("",)}, ()),
        (r"\b\d", {}, tuple("0123456789")),
        (r"[0-9]+x", {DIGIT: ("",)}, ()),
    ],
)
def test_what_a_match_begins_with(source: str, by_key: dict[str, tuple[str, ...]], short: tuple[str, ...]):
    found = beginnings(source)
    assert found is not None
    assert (found.by_key, tuple(sorted(found.short))) == (by_key, short)


@pytest.mark.parametrize(
    "source", [r"very", r"\w+ed\b", r"\b\p{L}+", r"(?:\bcolour){e<=2}", r"\b½", r"\s\bso", r"[[:alpha:]]"]
)
def test_what_cannot_be_listed_is_left_to_the_pattern(source: str):
    assert beginnings(source) is None


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        (r"[a-z]+[!?]{2}", {"!!", "!?", "?!", "??"}),
        (r"\d ?[ap]\.?m", {"am", "pm", "a.m", "p.m"}),
        (r"(?:[;-]\s)so[\s,]|\bSo", {"so"}),
        (r"\w+", None),
        (r"(?:\bcolour){e<=2}", None),
    ],
)
def test_what_a_match_contains(source: str, texts: set[str] | None):
    assert required(source) == texts


def test_word_starts_find_words_marks_and_digits():
    text = "very odd, overly (very) 1990s vary"
    found = beginnings(r"\bver\w+|\(v|\d")
    assert found is not None
    assert WordStarts(text).of(found) == [0, 17, 18, 24, 25, 26, 27]
