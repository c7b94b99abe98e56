"""What must hold for the source map of any article read from text."""

from hypothesis import strategies as st

from agent.article import Article, clean
from agent.formats.encoding import with_one_line_end

# Characters of which markup is made come often, so that fuzzing reaches what reads them.
_PIECES = (
    *("word", "foo bar", "\n\n", "    ", "- ", "1. ", "> ", "](x)", "![", "<b>", "</b>", "<!--", "-->", "<div>"),
    *("</div>", "<code>", "</code>", "<pre>", "<li>", "<br>", "&amp;", "&nbsp;", "{{ x }}", "{% y %}", "[^1]"),
    *("\n|a|b|\n|-|-|\n|", "```\n", "  \n", "~~", "***", "<http://a.b>", "---\n", "<![CDATA[", "<td>", "&#0;"),
    *" \n\n\t|*_~`[]()<>!#-+>&;{}%\\:^\"'=/.1a\r",
)
MARKUP = st.lists(st.one_of(st.sampled_from(_PIECES), st.characters()), max_size=60).map("".join)


def misplaced(article: Article, source: str) -> list[tuple[str, str]]:
    """Runs of text that differ from what stands at their place; one character may stand for another or for code."""
    source = clean(with_one_line_end(source))
    found = []
    for segment in article.source_map.segments:
        text = article.text[segment.text_start : segment.text_start + segment.length]
        place = source[segment.source_start : segment.source_start + segment.length]
        if text != place and segment.length > 1:
            found.append((text, place))
    return found


def unmapped(article: Article) -> list[str]:
    """Characters of paragraphs in no segment; more than one may stand for one entity."""
    covered: set[int] = set()
    for segment in article.source_map.segments:
        covered.update(range(segment.text_start, segment.text_start + segment.length))
    return [
        article.text[offset]
        for paragraph in article.paragraphs
        for offset in range(paragraph.start, paragraph.end)
        if offset not in covered and offset - 1 not in covered
    ]
