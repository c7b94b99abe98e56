"""The body of a Word document, element by element, into paragraphs."""

import re
from collections.abc import Iterator

from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement as Element

from agent.article import PLACEHOLDER, Block, ParagraphKind

_P, _TBL, _TR, _TC, _T, _VAL = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "t", "val"))
_FIELD, _FIELD_KIND = qn("w:fldChar"), qn("w:fldCharType")
_CHARACTERS = {
    qn("w:tab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
    qn("m:oMath"): PLACEHOLDER,
}
_LEFT_OUT = frozenset(
    qn(name)
    for name in (
        *("w:pPr", "w:rPr", "w:del", "w:moveFrom", "w:instrText", "w:delText", "w:delInstrText", "w:rt"),
        *("w:drawing", "w:pict", "w:object", "w:sdtPr", "w:sdtEndPr", "w:footnoteReference", "w:endnoteReference"),
    )
) | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"}
_HEADING = re.compile(r"heading (\d)")
_MAX_LEVEL = 6
_MAX_STYLE_CHAIN = 20


class WordBody:
    """Reads the paragraphs of a body in order; an empty one is an empty block, so that numbers stay."""

    def __init__(self, styles: Element) -> None:
        found = styles.iterchildren(qn("w:style"))
        self._styles = {style.get(qn("w:styleId"), ""): style for style in found}
        self._kinds: dict[str, tuple[ParagraphKind, int] | None] = {}
        self._fields: list[bool] = []  # for each open field, whether we are in its instruction

    def blocks(self, body: Element) -> list[Block]:
        return [self._block(paragraph, cell=cell, shown=shown) for paragraph, cell, shown in _paragraphs(body)]

    def _block(self, paragraph: Element, *, cell: bool, shown: bool) -> Block:
        text = "".join(self._characters(paragraph))
        style = _value(paragraph, "w:pPr/w:pStyle")
        kind = self._kind(paragraph, style)
        if kind is None or not shown:
            return Block("")
        return Block(text, ParagraphKind.TABLE_CELL) if cell else Block(text, *kind)

    def _characters(self, element: Element) -> Iterator[str]:
        for child in element:
            tag = child.tag
            if tag == _FIELD:
                self._field(child.get(_FIELD_KIND, ""))
            elif tag in _LEFT_OUT or not isinstance(tag, str) or (any(self._fields) and tag in (_T, *_CHARACTERS)):
                continue
            elif tag == _T:
                yield child.text or ""
            elif tag in _CHARACTERS:
                yield _CHARACTERS[tag]
            else:
                yield from self._characters(child)

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append(True)
        elif kind == "separate" and self._fields:
            self._fields[-1] = False
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _kind(self, paragraph: Element, style: str) -> tuple[ParagraphKind, int] | None:
        """Kind and level; None for a line of the table of contents."""
        if style not in self._kinds:
            self._kinds[style] = self._kind_of_style(style)
        kind = self._kinds[style]
        if kind == (ParagraphKind.TEXT, 0):
            outline = _value(paragraph, "w:pPr/w:outlineLvl")
            if outline.isdecimal() and int(outline) < _MAX_LEVEL:
                return ParagraphKind.HEADING, int(outline) + 1
            if _value(paragraph, "w:pPr/w:numPr/w:numId") not in ("", "0"):
                return ParagraphKind.LIST_ITEM, 0
        return kind

    def _kind_of_style(self, style: str) -> tuple[ParagraphKind, int] | None:
        """By the style's name, which is English in every language of Word, or the names it is based on."""
        for _ in range(_MAX_STYLE_CHAIN):
            element = self._styles.get(style)
            name = (_value(element, "w:name") if element is not None else style).lower()
            if heading := _HEADING.fullmatch(name):
                return ParagraphKind.HEADING, min(int(heading[1]), _MAX_LEVEL)
            if name == "title":
                return ParagraphKind.HEADING, 1
            if name.startswith("toc"):
                return None
            if name.startswith("list"):
                return ParagraphKind.LIST_ITEM, 0
            if name in ("quote", "intense quote", "block text"):
                return ParagraphKind.QUOTE, 0
            if element is None or not (style := _value(element, "w:basedOn")):
                break
        return ParagraphKind.TEXT, 0


def _value(element: Element, path: str) -> str:
    found = element.find("/".join(qn(name) for name in path.split("/")))
    return found.get(_VAL, "") if found is not None else ""


def _paragraphs(element: Element, *, cell: bool = False, shown: bool = True) -> Iterator[tuple[Element, bool, bool]]:
    """Each paragraph, whether it is in a table, and whether it is shown; also within content controls."""
    for child in element:
        if child.tag == _P:
            yield child, cell, shown
        elif child.tag == _TR:
            deleted = child.find(f"{qn('w:trPr')}/{qn('w:del')}") is not None
            yield from _paragraphs(child, cell=True, shown=shown and not deleted)
        elif child.tag == _TC:
            merge = child.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
            covered = merge is not None and merge.get(_VAL, "continue") == "continue"
            yield from _paragraphs(child, cell=True, shown=shown and not covered)
        elif isinstance(child.tag, str) and child.tag not in _LEFT_OUT:
            yield from _paragraphs(child, cell=cell, shown=shown)
