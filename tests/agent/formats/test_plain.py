import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.article import ParagraphKind
from agent.errors import ArticleError, ContentTooLarge, EmptyArticle
from agent.formats.plain import read_plain
from tests.agent.formats.places import MARKUP, misplaced, unmapped

TEXT, ITEM = ParagraphKind.TEXT, ParagraphKind.LIST_ITEM


@pytest.mark.parametrize(
    ("source", "paragraphs"),
    [
        ("One.\nTwo.", [("One.", TEXT), ("Two.", TEXT)]),
        ("One\ngoes on.\n\nTwo.", [("One goes on.", TEXT), ("Two.", TEXT)]),
        ("\n\nOne.\nTwo.\n\n", [("One.", TEXT), ("Two.", TEXT)]),
        ("One  \r\n  goes on.\r\n \t\r\nTwo.", [("One goes on.", TEXT), ("Two.", TEXT)]),
        (
            "Buy:\n- milk\n* eggs\n• tea\n12. rice",
            [("Buy:", TEXT), *((x, ITEM) for x in ("milk", "eggs", "tea", "rice"))],
        ),
        ("- milk\n  and cream\n\nEnd.", [("milk and cream", ITEM), ("End.", TEXT)]),
        ("-5 degrees\n1.5 metres\n- ", [("-5 degrees", TEXT), ("1.5 metres", TEXT), ("-", TEXT)]),
    ],
)
def test_paragraphs(source, paragraphs):
    assert [(p.text, p.kind) for p in read_plain(source).paragraphs] == paragraphs


def test_each_character_has_its_line_and_column():
    article = read_plain("First\n  wrapped line\n\n\t- an 🙂 item")
    places = {word: article.locate(article.text.index(word)) for word in ("First", "wrapped", "an", "item")}
    assert {word: (place.line, place.column) for word, place in places.items()} == {
        "First": (1, 1),
        "wrapped": (2, 3),
        "an": (4, 4),
        "item": (4, 9),
    }


def test_white_space_alone_is_an_empty_article():
    with pytest.raises(EmptyArticle, match="no text to check"):
        read_plain(" \n\t\n\u2028")


@given(st.one_of(st.text(), MARKUP))
def test_any_text_keeps_its_places(source):
    try:
        article = read_plain(source)
    except ArticleError:
        return
    assert (misplaced(article, source), unmapped(article)) == ([], [])


def test_a_text_too_long_to_be_an_article_is_not_taken_apart() -> None:
    with pytest.raises(ContentTooLarge, match="600,000 characters, over the limit of 500,000"):
        read_plain("a\n\n" * 200_000)
