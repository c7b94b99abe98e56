import pytest

from agent.article import Article, Block, ParagraphKind, build_article
from agent.guideline import Context
from agent.units import Unit, Units, asked
from tests.agent.build import article, prompt_guideline

SECTIONED = build_article(
    [
        Block("Lead."),
        Block("One", ParagraphKind.HEADING, 2),
        Block("A."),
        Block("B."),
        Block("Two", ParagraphKind.HEADING, 2),
    ]
)


@pytest.mark.parametrize(
    ("context", "shown"),
    [
        (Context.PARAGRAPH, [(0,), (1,), (2,), (3,), (4,)]),
        (Context.NEIGHBOURS, [(0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4)]),
        (Context.SECTION, [(0,), (1, 2, 3), (1, 2, 3), (1, 2, 3), (4,)]),
    ],
)
def test_each_paragraph_is_a_unit_with_its_declared_context(context: Context, shown: list[tuple[int, ...]]):
    units = Units(SECTIONED).of(prompt_guideline(context=context))
    assert units == tuple(Unit((index,), seen) for index, seen in enumerate(shown))


@pytest.mark.parametrize("fields", [{"scope": "article"}, {"context": "article"}])
def test_what_needs_the_article_has_one_unit(fields: dict[str, str]):
    everything = (0, 1, 2, 3, 4)
    assert Units(SECTIONED).of(prompt_guideline(**fields)) == (Unit(everything, everything),)


def digests(text: Article, context: Context) -> list[bytes]:
    units = Units(text)
    return [units.digest(unit) for unit in units.of(prompt_guideline(context=context))]


def test_a_unit_keeps_its_digest_wherever_it_moves():
    here = digests(article("A.", "B.", "C."), Context.PARAGRAPH)
    assert digests(article("C.", "A.", "B."), Context.PARAGRAPH) == [here[2], here[0], here[1]]


def test_a_change_reaches_those_that_see_it():
    before, after = (digests(article("A.", "B.", middle, "D.", "E."), Context.NEIGHBOURS) for middle in ("C.", "X."))
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, False, False, True]


@pytest.mark.parametrize(
    "other", [article("A.", "B.", title="T"), article("A.", "B.", language="de"), article("A. B.")]
)
def test_title_language_and_paragraphs_are_part_of_the_whole(other: Article):
    assert digests(other, Context.ARTICLE) != digests(article("A.", "B."), Context.ARTICLE)


def test_what_is_asked_is_told_from_what_is_shown():
    units = Units(article("A.", "A."))
    assert units.digest(Unit((0,), (0, 1))) != units.digest(Unit((1,), (0, 1)))


def test_all_that_units_ask_about():
    assert asked([Unit((2,), (1, 2)), Unit((0,), (0,))]) == (0, 2)
