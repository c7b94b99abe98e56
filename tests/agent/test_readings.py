from hypothesis import given
from hypothesis import strategies as st

from agent.article import Block, ParagraphKind, build_article
from agent.guideline import Context
from agent.readings import Reading, halves, paragraph_tokens, share, tokens_of, whole, windows
from agent.units import Units
from tests.agent.build import article, prompt_guideline

CONTEXTS = st.sampled_from([Context.PARAGRAPH, Context.NEIGHBOURS, Context.SECTION])
KINDS = st.sampled_from([ParagraphKind.TEXT, ParagraphKind.TEXT, ParagraphKind.TEXT, ParagraphKind.HEADING])
BLOCKS = st.lists(st.builds(Block, st.integers(1, 200).map("x".ljust), KINDS), min_size=1, max_size=40)


def test_an_article_that_fits_is_one_reading_of_everything():
    text = article("One.", "Two.", "Three.")
    everything = Reading((0, 1, 2), (0, 1, 2))
    assert windows(text, Units(text).of(prompt_guideline()), 1000) == (everything,)
    assert whole(text, 1000) == everything
    assert share(text, everything) == 1.0


@given(BLOCKS, CONTEXTS, st.integers(20, 400))
def test_windows_ask_about_each_paragraph_once_within_the_budget(blocks: list[Block], context: Context, budget: int):
    text = build_article(blocks)
    units = Units(text).of(prompt_guideline(context=context))
    found = windows(text, units, budget)
    assert [index for reading in found for index in reading.asked] == list(range(len(text.paragraphs)))
    for reading in found:
        assert set(reading.asked) <= set(reading.shown)
        size = sum(paragraph_tokens(text.paragraphs[index]) for index in reading.shown)
        assert size <= budget or len(reading.asked) == 1


def test_each_window_shows_the_context_of_what_it_asks_about():
    text = article(*(f"{number} {'x' * 90}" for number in range(9)))
    first, second, *_ = windows(text, Units(text).of(prompt_guideline()), 150)
    assert (first, second) == (Reading((0, 1, 2, 3), (0, 1, 2, 3, 4)), Reading((4, 5, 6), (3, 4, 5, 6, 7)))


def test_a_section_over_half_the_budget_is_cut_to_its_heading_and_the_neighbours():
    blocks = [Block("Head", ParagraphKind.HEADING, 1), *(Block("x" * 90) for _ in range(20))]
    text = build_article(blocks)
    found = windows(text, Units(text).of(prompt_guideline(context="section")), 200)
    assert found[1].shown[0] == 0
    assert len(found) < 8


@given(BLOCKS, st.integers(10, 2000))
def test_an_extract_is_whole_paragraphs_within_the_budget(blocks: list[Block], budget: int):
    text = build_article(blocks)
    reading = whole(text, budget)
    size = sum(paragraph_tokens(text.paragraphs[index]) for index in reading.shown)
    assert reading.asked == reading.shown
    assert size <= budget or reading.shown == (0,)
    assert 0 < share(text, reading) <= 1


def test_an_extract_keeps_the_opening_the_close_the_headings_and_the_start_of_each_section():
    blocks = [
        Block("Head", ParagraphKind.HEADING, 1) if n in (20, 40) else Block(f"{n} " + "x" * 97) for n in range(60)
    ]
    shown = whole(build_article(blocks), 28 * 14).shown
    assert {0, 1, 2, 3, 4, 20, 21, 40, 41, 57, 58, 59} <= set(shown)
    assert len(shown) >= 13


def test_a_reading_is_cut_in_halves_that_show_the_same():
    assert halves(Reading((1, 3, 5), (0, 1, 3, 5))) == (Reading((1,), (0, 1, 3, 5)), Reading((3, 5), (0, 1, 3, 5)))
    assert halves(Reading((1,), (0, 1))) is None


def test_tokens_are_estimated_at_four_characters():
    assert [tokens_of(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]
