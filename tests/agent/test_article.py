import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.article import MAX_CHARACTERS, Block, ParagraphKind, Section, build_article, clean
from agent.errors import ContentTooLarge, EmptyArticle
from agent.source_map import Location

BLOCKS = st.lists(st.builds(Block, st.text(), st.sampled_from(ParagraphKind)), min_size=1)


@given(BLOCKS)
def test_paragraphs_are_slices_of_the_text(blocks):
    if not any(clean(block.text).strip() for block in blocks):
        return
    article = build_article(blocks)
    assert [article.text[p.start : p.end] for p in article.paragraphs] == [p.text for p in article.paragraphs]
    assert article.text.split("\n\n") == [p.text for p in article.paragraphs]
    assert [clean(blocks[p.origin].text) for p in article.paragraphs] == [p.text for p in article.paragraphs]


@given(st.text(alphabet=st.characters()))
def test_a_cleaned_text_is_as_long_and_has_one_line(text):
    assert len(clean(text)) == len(text)
    assert len(clean(text).splitlines()) <= 1


def test_what_no_store_takes_is_replaced():
    article = build_article([Block("a\ud800b\x00c")], title="t\udfff")
    assert (article.text, article.title) == ("a\ufffdb\ufffdc", "t\ufffd")
    assert len(article.content_hash) == 64


def test_empty_paragraphs_are_left_out_but_counted():
    article = build_article([Block("one"), Block(" \t"), Block("two words")])
    assert article.text == "one\n\ntwo words"
    assert [(p.index, p.start, p.origin) for p in article.paragraphs] == [(0, 0, 0), (1, 5, 2)]
    assert article.locate(9) == Location(3, 5)
    assert article.words == 3


@pytest.mark.parametrize(("offset", "index"), [(0, 0), (3, 0), (4, 0), (5, 1), (8, 1)])
def test_the_paragraph_at_an_offset(offset, index):
    assert build_article([Block("one"), Block("two")]).paragraph_at(offset).index == index


@pytest.mark.parametrize("offset", [-1, 9])
def test_no_paragraph_outside_the_text(offset):
    with pytest.raises(ValueError, match=f"got {offset}"):
        build_article([Block("one"), Block("two")]).paragraph_at(offset)


def test_sections_begin_at_headings():
    head = Block("Head", ParagraphKind.HEADING, 1)
    article = build_article([Block("before"), head, head, Block("after")])
    before, first, second, after = article.paragraphs
    assert article.sections == (Section(None, (before,)), Section(first, ()), Section(second, (after,)))


def test_the_hash_tells_title_language_kinds_and_paragraphs_apart():
    blocks = [Block("a"), Block("b")]
    articles = [
        build_article(blocks),
        build_article(blocks, title="t"),
        build_article(blocks, language="de"),
        build_article([Block("a", ParagraphKind.QUOTE), Block("b")]),
        build_article([Block("a\x1etext0:b")]),
    ]
    assert len({article.content_hash for article in articles}) == len(articles)
    assert build_article(blocks).content_hash == articles[0].content_hash


def test_an_article_needs_text_and_has_a_limit():
    with pytest.raises(EmptyArticle, match="at least one sentence"):
        build_article([Block(" ")])
    with pytest.raises(ContentTooLarge, match="200,001 characters, over the limit of 200,000"):
        build_article([Block("a" * (MAX_CHARACTERS + 1))])
    assert len(build_article([Block("a" * MAX_CHARACTERS)]).text) == MAX_CHARACTERS


def test_a_title_is_one_line_in_composed_form():
    assert build_article([Block("x")], title=" Cafe\u0301\n news ").title == "Caf\u00e9 news"
