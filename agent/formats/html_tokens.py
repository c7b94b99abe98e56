"""Cuts HTML into text and tags with their offsets, in one pass whose time grows with the length only.

The standard library's parser tells lines and columns but goes back again and again on broken markup
(seconds for a megabyte of "<!"); libxml2 tells no columns.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(r"""</?([A-Za-z][^\s/>]*+)(?:[^>"']|"[^"]*+"|'[^']*+')*+>""")
_PLAIN_TAG = re.compile(r"</?([A-Za-z][^\s/<>]*+)[^<>]*+>")
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'=<>`]++)))?+""")
_BOGUS_COMMENT = re.compile(r"<(?:[!?]|/[^A-Za-z])")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
# Their content is no markup: it ends at their own end tag.
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})


@dataclass(frozen=True, slots=True)
class Characters:
    """Text between tags, entities not yet decoded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or an end tag."""

    start: int
    end: int
    name: str  # lower case
    closing: bool

    def attributes(self, source: str) -> dict[str, str]:
        """Names in lower case, the first of each; one without a value has an empty one."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(source, self.start + 1 + len(self.name), self.end - 1):
            value = match[2] or match[3] or match[4] or ""
            found.setdefault(match[1].lower(), html.unescape(value))
        return found


def tokens(source: str, start: int, end: int) -> Iterator[Characters | Tag]:
    """Text and tags of `source[start:end]` in order; comments and declarations are left out."""
    scanner = _Scanner(source, end)
    position = start
    while position < end:
        opening = source.find("<", position, end)
        opening = end if opening < 0 else opening
        if opening > position:
            yield Characters(position, opening)
        if opening == end:
            return
        position = scanner.after_comment(opening)
        if position > opening:
            continue
        tag = scanner.tag(opening)
        if tag is None:
            position = opening + 1
            yield Characters(opening, position)
            continue
        yield tag
        position = tag.end
        if tag.name in _RAW and not tag.closing:
            close = scanner.raw_end(tag)
            yield Characters(position, close)
            position = close


def entities(source: str, start: int, end: int) -> Iterator[tuple[str, int, bool]]:
    """Pieces of text with their offsets, and whether they stand there verbatim: False for a decoded entity."""
    position = start
    for match in _ENTITY.finditer(source, start, end):
        decoded = html.unescape(match[0])
        if decoded == match[0]:
            continue
        if match.start() > position:
            yield source[position : match.start()], position, True
        yield decoded, match.start(), False
        position = match.end()
    if position < end:
        yield source[position:end], position, True


class _Scanner:
    """Remembers what can't be found any more, so that no search is made twice for nothing."""

    def __init__(self, source: str, end: int) -> None:
        self.source = source
        self.end = end
        self._tag = _TAG

    def after_comment(self, at: int) -> int:
        """The end of the comment or declaration at `at`, or `at` where there is none."""
        if self.source.startswith("<!--", at):
            close = self.source.find("-->", at + 2, self.end)
            return self.end if close < 0 else close + 3
        if _BOGUS_COMMENT.match(self.source, at, self.end):
            close = self.source.find(">", at, self.end)
            return self.end if close < 0 else close + 1
        return at

    def tag(self, at: int) -> Tag | None:
        match = self._tag.match(self.source, at, self.end)
        if match is None and self._tag is _TAG and self.source[at + 1 : at + 2].isalpha():
            self._tag = _PLAIN_TAG  # a quote isn't closed to the end: quotes can't be trusted from here on
            match = self._tag.match(self.source, at, self.end)
        if match is None:
            return None
        return Tag(at, match.end(), match[1].lower(), closing=self.source[at + 1] == "/")

    def raw_end(self, tag: Tag) -> int:
        close = re.compile(rf"</{tag.name}(?=[\s/>])", re.IGNORECASE | re.ASCII).search(self.source, tag.end, self.end)
        return close.start() if close else self.end
