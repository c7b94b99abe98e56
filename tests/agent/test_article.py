"""Putting an article together from its paragraphs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.article import MAX_CHARACTERS, Article, Block, ParagraphKind, build_article, clean
from agent.errors import ContentTooLarge, EmptyArticle
from agent.offsets import Utf16Offsets
from agent.source_map import Location
from tests.agent.build import article

any_text = st.text(st.characters())  # lone surrogates and NUL too: JSON can carry them


def test_paragraphs_are_joined_by_a_blank_line():
    found = article("One.", "Two.")
    assert (found.text, [(p.index, p.start, p.end) for p in found.paragraphs]) == (
        "One.\n\nTwo.",
        [(0, 0, 4), (1, 6, 10)],
    )


def test_an_empty_paragraph_is_left_out_and_still_counted():
    found = article("One.", " \t", "Three.")
    assert [(p.index, p.origin, p.text) for p in found.paragraphs] == [(0, 0, "One."), (1, 2, "Three.")]
    assert found.locate(found.paragraphs[1].start) == Location(3, 1)


def test_breaks_in_a_paragraph_are_one_space_each():
    assert article("a\tb\nc\vd\u2028e\x85f").text == "a b c d e f"


def test_what_no_store_takes_is_replaced_in_text_and_title():
    found = article("a\0b\ud800c", title="T\0\udfff")
    assert (found.text, found.title) == ("a\ufffdb\ufffdc", "T\ufffd\ufffd")


@given(any_text)
def test_cleaning_moves_no_character_and_leaves_one_line(text: str):
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert len(cleaned.splitlines()) <= 1
    assert clean(cleaned) == cleaned
    cleaned.encode()


@given(st.lists(any_text, max_size=6))
def test_every_paragraph_is_its_slice_of_the_text(texts: list[str]):
    blocks = [Block(text) for text in texts]
    if not any(clean(text).strip() for text in texts):
        with pytest.raises(EmptyArticle):
            build_article(blocks)
        return
    found = build_article(blocks)
    assert [found.text[p.start : p.end] for p in found.paragraphs] == [p.text for p in found.paragraphs]
    assert [clean(texts[p.origin]) for p in found.paragraphs] == [p.text for p in found.paragraphs]
    assert len(found.content_hash) == 64


def test_an_emoji_before_a_finding_moves_word_by_one_unit_more():
    found = article("Ship it 🚀 today")
    start = found.text.index("today")
    assert (start, Utf16Offsets(found.text).units(start)) == (10, 11)


def test_no_prose_says_what_to_send():
    with pytest.raises(EmptyArticle, match="send at least one sentence"):
        article("", "\n\t\u3000")


def test_the_limit_counts_the_text_with_its_gaps():
    assert len(article("a" * (MAX_CHARACTERS - 3), "b").text) == MAX_CHARACTERS
    with pytest.raises(ContentTooLarge, match="200,001 characters, over the limit of 200,000: check it in parts"):
        article("a" * (MAX_CHARACTERS - 2), "b")


@pytest.mark.parametrize(("offset", "index"), [(0, 0), (4, 0), (5, 0), (6, 1), (10, 1)])
def test_a_gap_belongs_to_the_paragraph_before_it(offset: int, index: int):
    assert article("One.", "Two.").paragraph_at(offset).index == index


def test_an_offset_outside_the_text_is_refused():
    with pytest.raises(ValueError, match=r"0\.\.4, got 5"):
        article("One.").paragraph_at(5)


def sectioned() -> Article:
    heading = ParagraphKind.HEADING
    return build_article([Block("Lead."), Block("A", heading, 2), Block("Under A."), Block("B", heading, 2)])


def test_a_section_is_a_heading_with_what_follows():
    found = [(s.heading.text if s.heading else "", [p.text for p in s.paragraphs]) for s in sectioned().sections]
    assert found == [("", ["Lead."]), ("A", ["Under A."]), ("B", [])]


def test_the_title_is_one_line_of_composed_characters():
    assert article("x", title="  Cafe\u0301\n news ").title == "Café news"


@pytest.mark.parametrize(
    "other",
    [
        article("One.", "Two"),
        article("One. Two."),
        article("One.", "Two.", title="T"),
        article("One.", "Two.", language="de"),
        build_article([Block("One."), Block("Two.", ParagraphKind.QUOTE)]),
    ],
)
def test_the_hash_tells_apart_what_is_checked_differently(other: Article):
    assert other.content_hash != article("One.", "Two.").content_hash


def test_the_hash_forgets_where_the_paragraphs_came_from():
    assert article("One.", "", "Two.").content_hash == article("One.", "Two.").content_hash
