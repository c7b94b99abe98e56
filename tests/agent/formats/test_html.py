import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.article import ParagraphKind
from agent.errors import ArticleError, ContentTooLarge
from agent.formats.html import MAX_SOURCE_CHARACTERS, read_html
from tests.agent.formats.places import MARKUP, misplaced, unmapped
from tests.effort import takes_time_in_proportion

HEADING, TEXT, ITEM, QUOTE, CELL = ParagraphKind


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>One\n  <b>bold</b>ly said.</p><p>Two.", "One boldly said.\n\nTwo."),
        ("a<br>b<br/> c", "a b c"),
        ("<p>R&amp;D&nbsp;&#8364;5 &bogus; 1 < 2 & 3", "R&D\u00a0€5 &bogus; 1 < 2 & 3"),
        ("<p>Run <code>make <b>x</b></code> now", "Run \ufffc now"),
        ("<p>a <img alt='cat' src=c.png> b", "a b"),
        ("<script>let a = '<p>no</p>'</script><style>p{}</style><template>t</template><p>yes", "yes"),
        ("<nav><ul><li>Home</ul></nav><pre>code</pre><main>yes</main>", "yes"),
        ("<!-- <p>no --><!DOCTYPE html><p>yes<![if !vml]>, yes", "yes, yes"),
        ('<a href="x>y" title="a > b">link</a>ed', "linked"),
        ("<h1 hidden>no</h1><p>yes", "yes"),
        ("<p>unclosed <b", "unclosed <b"),
    ],
)
def test_prose_as_a_browser_shows_it(source, text):
    assert read_html(source).text == text


def test_kinds_and_levels():
    source = (
        "<h2>Head</h2><p>text<ul><li>item<ul><li><p>deep</ul></ul>"
        "<blockquote><p>quote</blockquote><table><tr><th>a<td>b</table>end"
    )
    assert [(p.kind, p.level, p.text) for p in read_html(source).paragraphs] == [
        (HEADING, 2, "Head"),
        (TEXT, 0, "text"),
        (ITEM, 0, "item"),
        (ITEM, 0, "deep"),
        (QUOTE, 0, "quote"),
        (CELL, 0, "a"),
        (CELL, 0, "b"),
        (TEXT, 0, "end"),
    ]


@pytest.mark.parametrize(
    ("source", "title", "language"),
    [
        ("<html lang=en-GB><head><title>A &amp;\n B</title></head><body><h1>C</h1>", "A & B", "en-GB"),
        ("<h2>B</h2><h1>C <i>d</i></h1>", "C d", ""),
        ("<svg><title>no</title></svg><p>Text", "", ""),
        ("<html lang='not a language'><p>Text", "", ""),
    ],
)
def test_title_and_language(source, title, language):
    article = read_html(source)
    assert (article.title, article.language) == (title, language)


def test_each_word_has_its_line_and_column():
    article = read_html("<html>\r\n<p>\r\n  One &amp; two\r\n\tthree 🙂 four</p>")
    places = {word: article.locate(article.text.index(word)) for word in ("One", "&", "two", "three", "four")}
    assert {word: (place.line, place.column) for word, place in places.items()} == {
        "One": (3, 3),
        "&": (3, 7),
        "two": (3, 13),
        "three": (4, 2),
        "four": (4, 10),
    }


@settings(max_examples=400)
@given(st.one_of(st.text(), MARKUP))
def test_any_text_keeps_its_places(source):
    try:
        article = read_html(source)
    except ArticleError:
        return
    assert (misplaced(article, source), unmapped(article)) == ([], [])


@pytest.mark.parametrize("unit", ["<", "<a ", "<a '", '<a "', "<!--", "<!", "</", "&", "&#", "<p>", "<script>", "<li>"])
def test_broken_markup_takes_time_in_proportion(unit):
    assert takes_time_in_proportion(read_html, unit, 40_000)


def test_more_than_the_limit_is_refused_before_it_is_read():
    with pytest.raises(ContentTooLarge, match="3,000,001 characters"):
        read_html("<" * (MAX_SOURCE_CHARACTERS + 1))
