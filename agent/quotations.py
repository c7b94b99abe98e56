"""Finds the words inside quotation marks: nobody edits what a source said."""

from collections.abc import Iterator

import regex

# Pairs that open and close differently, then straight ones. Single marks are left out: they are apostrophes too.
_QUOTED = regex.compile(r"“[^“”]*(?:”|$)|«[^«»]*(?:»|$)|„[^„“”]*(?:[“”]|$)|(?<![\p{L}\p{N}])\"[^\"]*(?:\"|$)")


def quotations(paragraph: str) -> Iterator[tuple[int, int]]:
    """Start and end of each quotation with its marks; one that isn't closed runs to the paragraph's end."""
    for found in _QUOTED.finditer(paragraph):
        yield found.start(), found.end()
