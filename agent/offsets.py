"""Code points and UTF-16 code units: the only place that converts between them.

Offsets are Unicode code points, end exclusive, in Python and in storage. JavaScript and Word count
UTF-16 code units, in which a character beyond U+FFFF (most emoji) counts two.
"""

from bisect import bisect_right


class Utf16Offsets:
    """Converts offsets of one text both ways, each in O(log k) for k characters beyond U+FFFF."""

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self._wide = [position for position, character in enumerate(text) if ord(character) > 0xFFFF]
        self._wide_units = [position + rank for rank, position in enumerate(self._wide)]

    def units(self, code_points: int) -> int:
        """The UTF-16 offset of a code-point offset in 0..len(text)."""
        if not 0 <= code_points <= self.length:
            raise ValueError(f"offset must be in 0..{self.length} code points, got {code_points}")
        return code_points + bisect_right(self._wide, code_points - 1)

    def code_points(self, units: int) -> int:
        """The code-point offset of a UTF-16 offset; ValueError inside a surrogate pair or outside the text."""
        if not 0 <= units <= self.length + len(self._wide):
            raise ValueError(f"offset must be in 0..{self.length + len(self._wide)} UTF-16 units, got {units}")
        rank = bisect_right(self._wide_units, units - 1)
        if rank and self._wide_units[rank - 1] + 1 == units:
            raise ValueError(f"UTF-16 offset {units} falls inside a surrogate pair")
        return units - rank
