"""The inline tokens of a Markdown block into its prose."""

import re
from collections.abc import Sequence

from markdown_it.token import Token

from agent.formats.html import CODE
from agent.formats.inline_positions import AT
from agent.formats.markdown_lines import runs
from agent.formats.passage import Passage

_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
_NOT_PROSE = CODE | {"script", "style", "pre", "del"}


class InlineReader:
    """Reads block after block; `filler` is the character that stands for masked template tags."""

    def __init__(self, filler: str) -> None:
        self._fillers = re.compile(f"({filler}+)")

    def read(self, block: Token, offsets: Sequence[int], passage: Passage) -> Passage:
        """Adds the prose of an inline token, whose character n stands at `offsets[n]`, to the passage."""
        skipped = ""  # the HTML element without prose that is open
        autolink = False
        for token in block.children or []:
            at = token.meta[AT]
            if token.type == "html_inline":
                skipped = self._tag(token.content, skipped, block.content, at, offsets, passage)
            elif skipped:
                continue
            elif token.type == "text":
                text = token.content
                if autolink:  # its text has its escapes decoded: take the source after the "<"
                    at += 1
                    text = block.content[at : block.content.index(">", at)]
                self._text(text, offsets[at : at + len(text)], passage)
            else:
                _mark(token, offsets[at], passage)
            autolink = token.type == "link_open" and token.markup == "autolink"
        return passage

    def _text(self, text: str, offsets: Sequence[int], passage: Passage) -> None:
        place = 0
        for number, part in enumerate(self._fillers.split(text)):
            if number % 2:
                passage.leave_out()
            elif part:
                for start, end in runs(offsets[place : place + len(part)]):
                    passage.add(part[start:end], offsets[place + start])
            place += len(part)

    def _tag(self, tag: str, skipped: str, content: str, at: int, offsets: Sequence[int], passage: Passage) -> str:
        """Takes an HTML tag and returns the element without prose that is open after it."""
        match = _TAG_NAME.match(tag)
        name = match[1].lower() if match else ""
        closing = tag.startswith("</")
        if skipped:
            return "" if closing and name == skipped else skipped
        if name == "br":
            passage.space(offsets[at], verbatim=False)
        if name in ("", "br", "img"):  # no name: a comment
            passage.leave_out()
        if closing or name not in _NOT_PROSE or content.lower().find(f"</{name}", at) < 0:
            return ""
        if name in CODE:
            passage.place(offsets[at])
        else:
            passage.leave_out()
        return name


def _mark(token: Token, source: int, passage: Passage) -> None:
    if token.type == "text_special":
        passage.put(token.content, source)
    elif token.type in ("softbreak", "hardbreak"):
        passage.space(source, verbatim=token.type == "softbreak")
    elif token.type == "code_inline":
        passage.place(source)
    elif token.type == "image":
        passage.leave_out()
