"""HTML: headings, paragraphs, list items, quotations and table cells, each character with its line and column.

Prose is what a reader of the page reads as the article. Scripts, styles, preformatted text, forms,
navigation, footers, deletions (`<del>`) and elements marked `hidden` are not; `<code>` and its kin
leave a placeholder in the sentence. Comments, images with their alternative texts, embedded media and
MathML aren't read. White space is as a browser shows it.
"""

import re
from collections import Counter
from collections.abc import Iterator

from agent.article import Article, ParagraphKind
from agent.errors import ContentTooLarge
from agent.formats.encoding import with_one_line_end
from agent.formats.html_tokens import Characters, Tag, entities, tokens
from agent.formats.passage import Passage, assemble, language_tag

MAX_SOURCE_CHARACTERS = 3_000_000  # read in about 3 s, the most hostile in 30
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_UNREAD = frozenset(
    "script style template noscript nav footer pre xmp svg math iframe noembed noframes object audio video canvas "
    "select button textarea datalist del".split()
)
_ENDED_BY_NEXT = frozenset("li td th tr dd dt option".split())  # their end tags may be left out
CODE = frozenset({"code", "kbd", "samp", "var", "tt"})
_IN_HEAD = frozenset("html head title script style noscript template".split())
_BLOCKS = frozenset(
    "html head body nav footer pre xmp noscript template address article aside blockquote caption center dd details "
    "dialog div dl dt fieldset figcaption figure form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu ol option "
    "p search section summary table tbody td tfoot th thead title tr ul".split()
)
_SPACE = " \t\n\r\f"
_WORDS = re.compile(f"[{_SPACE}]+|[^{_SPACE}]+(?: [^{_SPACE}]++)*+")


def read_html(source: str, *, title: str = "", language: str = "") -> Article:
    """Raises ContentTooLarge and EmptyArticle."""
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise ContentTooLarge(
            f"the HTML source has {len(source):,} characters, over the limit of {MAX_SOURCE_CHARACTERS:,}: "
            "check it in parts, without its scripts and pictures"
        )
    source = with_one_line_end(source)
    reader = HtmlReader(source)
    passages = [*reader.read(0, len(source)), *reader.finish()]
    return assemble(
        source, passages, title=title, found_title=reader.title, language=language or language_tag(reader.language)
    )


class HtmlReader:
    """Reads one source stretch by stretch; elements stay open from one to the next."""

    def __init__(self, source: str) -> None:
        self.title = ""
        self.language = ""
        self._source = source
        self._open: list[str] = []  # elements that matter, outermost first
        self._count: Counter[str] = Counter()
        self._unread = 0  # how many of the open elements have no prose
        self._code = 0  # how many of them are code
        self._hidden = 0  # length of `_open` with the outermost hidden element; 0 for none
        self._passage = Passage()

    @property
    def readable(self) -> bool:
        """Whether text here is prose of the article."""
        return not self._hidden and not self._unread

    @property
    def quoting(self) -> bool:
        return self._count["blockquote"] > 0

    def read(self, start: int, end: int) -> Iterator[Passage]:
        """The paragraphs that end in `source[start:end]`."""
        for token in tokens(self._source, start, end):
            if isinstance(token, Characters):
                self._characters(token)
            elif token.name in _BLOCKS:
                yield self._passage
                self._element(token)
                self._passage = self._new_passage()
            else:
                self._inline(token)

    def finish(self) -> Iterator[Passage]:
        """The paragraph that is still open."""
        yield self._passage
        self._passage = self._new_passage()

    def _characters(self, token: Characters) -> None:
        if self._open and self._open[-1] == "title" and self.readable:
            self.title = self.title or " ".join("".join(p for p, *_ in self._pieces(token)).split())
            return
        if not self.readable or self._count["head"] or self._code:
            return
        for piece, at, verbatim in self._pieces(token):
            if not verbatim:
                self._passage.put(piece, at)
                continue
            for word in _WORDS.finditer(piece):
                if word[0][0] in _SPACE:
                    self._passage.space(at + word.start())
                else:
                    self._passage.add(word[0], at + word.start())

    def _pieces(self, token: Characters) -> Iterator[tuple[str, int, bool]]:
        return entities(self._source, token.start, token.end)

    def _inline(self, tag: Tag) -> None:
        if tag.name == "br":
            self._passage.space(tag.start, verbatim=False)
        elif tag.name in _VOID:
            self._passage.leave_out()
        elif tag.name in CODE:
            if not tag.closing and self.readable and not self._code:
                self._passage.place(tag.start)
            self._element(tag)
        elif tag.name in _UNREAD:
            self._passage.leave_out()
            self._element(tag)

    def _element(self, tag: Tag) -> None:
        if tag.closing:
            self._close(tag.name)
            return
        attributes = tag.attributes(self._source)
        if tag.name == "html":
            self.language = self.language or attributes.get("lang", "")
        self._end_before(tag.name)
        if tag.name in _VOID:
            return
        self._open.append(tag.name)
        self._tally(tag.name, 1)
        if "hidden" in attributes and not self._hidden:
            self._hidden = len(self._open)

    def _end_before(self, name: str) -> None:
        """Ends what the start of a block ends though its end tag is missing."""
        if name not in _BLOCKS:
            return
        if name not in _IN_HEAD:
            self._close("head")
        if self._open and (self._open[-1] == "p" or (self._open[-1] == name and name in _ENDED_BY_NEXT)):
            self._close(self._open[-1])

    def _close(self, name: str) -> None:
        """Closes the innermost element of that name with all inside it; an end tag without a start is ignored."""
        if not self._count[name]:
            return
        while True:
            closed = self._open.pop()
            self._tally(closed, -1)
            if len(self._open) < self._hidden:
                self._hidden = 0
            if closed == name:
                return

    def _tally(self, name: str, change: int) -> None:
        self._count[name] += change
        self._unread += change * (name in _UNREAD)
        self._code += change * (name in CODE)

    def _new_passage(self) -> Passage:
        if self.quoting:
            return Passage(ParagraphKind.QUOTE)
        for level in range(1, 7):
            if self._count[f"h{level}"]:
                return Passage(ParagraphKind.HEADING, level)
        if self._count["td"] or self._count["th"]:
            return Passage(ParagraphKind.TABLE_CELL)
        if self._count["li"]:
            return Passage(ParagraphKind.LIST_ITEM)
        return Passage()
