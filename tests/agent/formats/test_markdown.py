import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.article import ParagraphKind
from agent.errors import ArticleError, ContentTooLarge
from agent.formats.markdown import MAX_SOURCE_CHARACTERS, read_markdown
from tests.agent.formats.places import MARKUP, misplaced, unmapped
from tests.effort import takes_time_in_proportion

HEADING, TEXT, ITEM, QUOTE, CELL = ParagraphKind


def kinds(source: str) -> list[tuple[ParagraphKind, int, str]]:
    return [(p.kind, p.level, p.text) for p in read_markdown(source).paragraphs]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Some *soft*\nwrap", "Some soft wrap"),
        ("hard  \nbreak\\\nagain", "hard break again"),
        ("***bold*** __and__ ~~struck~~ a * b", "bold and struck a * b"),
        ("Run `make test` now", "Run \ufffc now"),
        ("see [the *docs*](http://x.y/a_b 'title') now", "see the docs now"),
        ("see [docs][1] now\n\n[1]: http://x.y", "see docs now"),
        ("a ![picture of a cat](cat.png) here", "a here"),
        ("two<br>lines, <b>bold</b>ly <!-- no -->said", "two lines, boldly said"),
        ("press <code>x < 1</code> twice", "press \ufffc twice"),
        ("R&amp;D&nbsp;costs \\*much\\*", "R&D\u00a0costs *much*"),
        ("<http://a.b/c%20d> is one", "http://a.b/c%20d is one"),
        ("a claim[^1] and[^note]\n\n[^1]: Its source.", "a claim and\n\nIts source."),
        ("before\n\n```\ncode\n```\n\n    more code\n\nafter", "before\n\nafter"),
        ("before\n\n<script>\nlet x = 1\n</script>\n\nafter", "before\n\nafter"),
        ("<div>\n<p>Within</p></div>\n\nafter", "Within\n\nafter"),
        ("# Title #\n\nSetext\n===", "Title\n\nSetext"),
        ("- [x] done\n- [ ] open", "done\n\nopen"),
    ],
)
def test_prose_without_markup(source, text):
    assert read_markdown(source).text == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('[Our work]({{ "/work/" | url }}) goes on', "Our work goes on"),
        ("a {{ price }} thing", "a thing"),
        ("pre{{ fix }}post", "pre\ufffcpost"),
        ("{% if x %}\nshown\n{% endif %}", "shown"),
        ("{{ 'video' | embed }}\n\nText.", "Text."),
        ("A heading\n{: .wide}", "A heading"),
        ("## Heading {#anchor}", "Heading"),
        ("an unclosed {{ tag\n\nhides nothing }}", "an unclosed {{ tag\n\nhides nothing }}"),
    ],
)
def test_template_tags_are_left_out(source, text):
    assert read_markdown(source).text == text


def test_kinds_and_levels():
    source = "## Head\n\ntext\n\n- item\n\n  more\n\n> quote\n>\n> > deep\n\n| a | b |\n|---|---|\n| c | d\\|e |\n"
    assert kinds(source) == [
        (HEADING, 2, "Head"),
        (TEXT, 0, "text"),
        (ITEM, 0, "item"),
        (ITEM, 0, "more"),
        (QUOTE, 0, "quote"),
        (QUOTE, 0, "deep"),
        *((CELL, 0, text) for text in ("a", "b", "c", "d|e")),
    ]


def test_a_quotation_in_html_holds_markdown():
    assert kinds("<blockquote>\n\nWe *won*.\n\n</blockquote>\n\nEnd.") == [(QUOTE, 0, "We won."), (TEXT, 0, "End.")]


@pytest.mark.parametrize(
    ("source", "word", "place"),
    [
        ("---\ntitle: T\n---\n\n# Its *head*", "head", (5, 8)),
        ("one\n   two *three*", "three", (2, 9)),
        ("> quoted\n> again", "again", (2, 3)),
        ("> quoted\nlazily", "lazily", (2, 1)),
        ("1. item\n\n\tmore of it", "more", (3, 2)),
        ("# head ##", "head", (1, 3)),
        ("🙂 [🙂 link](http://link) end", "end", (1, 25)),
        ("[a](http://b 'b') b", "b", (1, 19)),
        ("`b` b", "b", (1, 5)),
        ("&amp; b", "b", (1, 7)),
        ("| a\\|a | x |\n|---|---|\n| x y | y |", "y", (3, 5)),
        ("{{ b }} b", "b", (1, 9)),
        ("**bold**text", "text", (1, 9)),
        ("a\r\nb\r\n\r\nc", "c", (4, 1)),
        ("- <div>\n  word</div>", "word", (2, 3)),
    ],
)
def test_each_word_has_its_line_and_column(source, word, place):
    article = read_markdown(source)
    found = article.locate(article.text.index(word))
    assert (found.line, found.column) == place


@pytest.mark.parametrize(
    ("front", "title", "language"),
    [
        ("---\ntitle: 'It''s one'\nlang: en_GB\n---\n", "It's one", "en-GB"),
        ("---\ntitle: One: two\nlanguage: de\n---\n", "One: two", "de"),
        ("---\ntitle: >\n  One\n  two\ntags: [a]\n---\n", "One two", ""),
        ('+++\ntitle = "One"\n+++\n', "One", ""),
        ("---\ndate: 2020-01-01\n---\n", "Head", ""),
        ("", "Head", ""),
    ],
)
def test_front_matter_gives_title_and_language(front, title, language):
    article = read_markdown(front + "# Head\n\nText.")
    assert (article.title, article.language, article.text) == (title, language, "Head\n\nText.")


def test_a_line_across_the_page_is_no_front_matter():
    assert read_markdown("---\nSome prose.\n\n---\nMore.").text == "Some prose.\n\nMore."


def test_more_than_the_limit_is_refused_before_it_is_parsed():
    with pytest.raises(ContentTooLarge, match="500,001 characters"):
        read_markdown("a" * (MAX_SOURCE_CHARACTERS + 1))


@settings(max_examples=400)
@given(st.one_of(st.text(), MARKUP))
def test_any_text_keeps_its_places(source):
    try:
        article = read_markdown(source)
    except ArticleError:
        return
    assert (misplaced(article, source), unmapped(article)) == ([], [])


@pytest.mark.parametrize("unit", ["{{", "{%", "[^", "[", "*a ", "<a ", "<!--", "`", "> ", "|", "<div><", "&#", "- "])
def test_hostile_repetition_takes_time_in_proportion(unit):
    assert takes_time_in_proportion(lambda text: read_markdown(f"{text}\n\nend"), unit, 10_000)


@pytest.mark.corpora
def test_real_posts_keep_their_places_and_leave_no_markup(corpora):
    posts = sorted((corpora / "articles" / "18f").glob("*.md"))
    assert len(posts) == 56
    for post in posts:
        source = post.read_text(encoding="utf-8")
        article = read_markdown(source)
        assert (misplaced(article, source), unmapped(article)) == ([], []), post.name
        assert not [mark for mark in ("{{", "{%", "](", "<p", "<div", "**", "\ue000") if mark in article.text], (
            post.name
        )
