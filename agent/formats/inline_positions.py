"""markdown-it's inline parser with the place of every piece of text.

The parser gives its inline tokens no positions. It pushes each token while its state stands at the
token's first character, so a state that writes this down is enough.
"""

from collections.abc import Callable
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

AT = "at"  # the key in a token's `meta`: offset of its first character in the inline content


class _PositionedState(StateInline):
    def __init__(self, src: str, md: MarkdownIt, env: EnvType, out: list[Token]) -> None:
        super().__init__(src, md, env, out)
        self._pending_at = 0
        self._marks_at = -1
        self._marks = 0  # of a run such as "***", pushed one by one from the run's start

    def append_pending(self, text: str) -> None:
        if not self._pending and not self._pending_buffer:
            self._pending_at = self.pos
        super().append_pending(text)

    def pushPending(self) -> Token:  # noqa: N802 - the parser's own name
        token = super().pushPending()
        token.meta[AT] = self._pending_at
        return token

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        token.meta[AT] = self.pos
        if ttype == "text":
            self._marks = self._marks + 1 if self._marks_at == self.pos else 0
            self._marks_at = self.pos
            token.meta[AT] += self._marks
        return token


class _PositionedInline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _PositionedState(src, md, env, tokens)
        self.tokenize(state)
        rules: list[Callable[[StateInline], None]] = self.ruler2.getRules("")
        for rule in rules:
            rule(state)
        return state.tokens


def positioned_parser(max_nesting: int) -> MarkdownIt:
    """CommonMark with tables and strikethrough whose inline tokens have `meta[AT]`; text is left verbatim."""
    parser = MarkdownIt("commonmark", {"maxNesting": max_nesting})
    parser.inline = _PositionedInline()
    parser.configure("commonmark", {"maxNesting": max_nesting})
    parser.enable(["table", "strikethrough"])
    parser.disable(["text_join", "fragments_join"])
    return parser
