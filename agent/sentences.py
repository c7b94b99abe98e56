"""Cuts a paragraph into sentences."""

from collections.abc import Iterator

import regex

# After these a full stop ends no sentence.
ABBREVIATIONS = frozenset(
    "mr mrs ms mx dr prof rev hon gen col maj capt lt sgt cpl adm cmdr gov sen rep pres st mt ft nos vol fig figs "
    "sec ch pp ed eds vs etc al approx dept est inc ltd co corp bros jr sr ca cf viz i.e e.g a.m p.m u.s u.k u.n ph.d "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun ave blvd rd".split()
)
# These end a sentence or don't: they do where a word follows that often begins one.
EITHER = frozenset("a.m p.m u.s u.s.a u.k u.n d.c etc inc ltd co corp jr sr al ph.d".split())
STARTERS = frozenset(
    "a after all also although an and as at because before but by each even every few first for from he her his how "
    "however i if in it its last many more most my no nobody nothing now on once one only our she since so some still "
    "that the their then there these they this those though today two under until we what when where which while who "
    "why with yet you your".split()
)
# A stop, with what closes around it, then white space and something that can begin a sentence.
# Where the white space was forgotten, lower case before and after tells enough.
_BREAK = regex.compile(
    r"""(?<![.!?…])(?P<stop>[.!?…]++)["'”’»)\]]*+(?P<gap>\s++)(?=["'“‘«(\[]*+[\p{Lu}\p{Lo}\p{N}\ufffc])"""
    r"""|(?<=\p{Ll}{3})(?P<stop>[.!?])(?P<gap>)(?=\p{Lu}\p{Ll})"""
)
_FIRST_WORD = regex.compile(r"[\p{L}\p{N}]+")
_LAST_WORD = regex.compile(r"[\p{L}\p{N}.]+$")
_INITIALS = regex.compile(r"(?:\p{Lu}\.)+\p{Lu}")
NEAR = 40  # characters that are looked at on either side of a stop


def sentences(paragraph: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, without the white space between; together they cover the paragraph's words."""
    start = 0
    for found in _BREAK.finditer(paragraph):
        stop, end = found.start("stop"), found.end()
        near = paragraph[max(start, stop - NEAR) : stop], paragraph[end : end + NEAR]
        if found["stop"] == "." and _goes_on(*near):
            continue
        yield start, found.start("gap")
        start = found.end()
    if paragraph[start:].strip():
        yield start, len(paragraph.rstrip())


def _goes_on(before: str, after: str) -> bool:
    """Whether a full stop between these belongs to an abbreviation or an initial."""
    last = _LAST_WORD.search(before)
    if last is None:
        return False
    word = last[0].lower()
    if len(word) == 1 and last[0].isupper():
        return not (last[0] == "I" and before.endswith(" I"))  # "J. Smith", but "... and I. He"
    if word in EITHER:
        following = _FIRST_WORD.search(after)
        return following is not None and following[0].lower() not in STARTERS
    if _INITIALS.fullmatch(last[0]):
        return True  # "J.R.R. Tolkien"
    return word in ABBREVIATIONS or (word in ("no", "p") and after[:1].isdigit())
