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


def add_inline(passage: Passage, block: Token, offsets: Sequence[int]) -> None:
    """Adds the prose of an inline token, whose character n stands at `offsets[n]` in the source."""
    skipped = ""  # the HTML element without prose that is open
    autolink = False
    for token in block.children or []:
        at = token.meta[AT]
        if token.type == "html_inline":
            skipped = _after_tag(token.content, skipped, block.content, at)
            _add_tag(passage, token.content, offsets[at], skipped)
        elif skipped:
            continue
        elif token.type == "text":
            text = token.content
            if autolink:  # its text has its escapes decoded: take the source after the "<"
                at += 1
                text = block.content[at : block.content.index(">", at)]
            for start, end in runs(offsets[at : at + len(text)]):
                passage.add(text[start:end], offsets[at + start])
        else:
            _add_mark(passage, token, offsets[at])
        autolink = token.type == "link_open" and token.markup == "autolink"


def _tag_name(tag: str) -> str:
    match = _TAG_NAME.match(tag)
    return match[1].lower() if match else ""


def _after_tag(tag: str, skipped: str, content: str, at: int) -> str:
    """The element without prose that is open after a tag; one that the block doesn't close hides nothing."""
    name = _tag_name(tag)
    closing = tag.startswith("</")
    if skipped:
        return "" if closing and name == skipped else skipped
    if closing or name not in _NOT_PROSE or content.lower().find(f"</{name}", at) < 0:
        return ""
    return name


def _add_tag(passage: Passage, tag: str, source: int, skipped: str) -> None:
    name = _tag_name(tag)
    if name == "br" and not skipped:
        passage.space(source, verbatim=False)
    if name == skipped and name in CODE:
        passage.place(source)
    elif skipped or name in ("", "br", "img"):  # no name: a comment
        passage.leave_out()


def _add_mark(passage: Passage, token: Token, source: int) -> None:
    if token.type == "text_special":
        passage.put(token.content, source)
    elif token.type in ("softbreak", "hardbreak"):
        passage.space(source, verbatim=token.type == "softbreak")
    elif token.type == "code_inline":
        passage.place(source)
    elif token.type == "image":
        passage.leave_out()
