"""The default pack: whole, proved by its own examples, and quick."""

from collections import Counter

import pytest

from agent.article import Block, build_article
from agent.example_proof import prove_examples
from agent.finding import Method, Severity
from agent.guideline import Kind
from agent.pack_files import DEFAULT_FOLDER, default_pack, load_pack, write_pack
from agent.patterns import ArticleView, check_patterns
from tests.effort import takes_less_than

PACK = default_pack()
PROMPTS = [guideline for guideline in PACK.guidelines if guideline.kind is Kind.PROMPT]
PATTERNS = [guideline for guideline in PACK.guidelines if guideline.kind is Kind.PATTERN]
SLOW_SECONDS = 0.5  # of CPU; the slowest takes a tenth of it

# Long runs of what the patterns look for, without the end they wait for.
HOSTILE = [
    "sources " * 2_000,
    "recent studies " * 1_000,
    "80 percent of people " * 500,
    "such as " + "apples and pears " * 600,
    "“" * 3_000,
    "12 of 12 " * 1_000,
    "A B C NLRB " * 1_000,
    "Ab, " * 3_000,
    "the " * 3_000,
]


def test_the_pack_has_what_a_newsroom_needs():
    assert PACK.name == "house"
    assert Counter(guideline.kind for guideline in PACK.guidelines) == {Kind.PROMPT: 18, Kind.PATTERN: 23}


@pytest.mark.parametrize("guideline", PROMPTS, ids=lambda guideline: guideline.id)
def test_a_prompt_is_complete(guideline):
    assert len(guideline.instruction) > 150
    assert guideline.rules, "a fallback"
    assert len(guideline.does_not_count) >= 3
    assert len(guideline.violations) >= 3
    assert len(guideline.compliant) >= 3


@pytest.mark.parametrize("guideline", PATTERNS, ids=lambda guideline: guideline.id)
def test_a_pattern_has_examples_both_ways(guideline):
    assert guideline.violations
    assert guideline.compliant


def test_every_example_is_proved():
    assert prove_examples(DEFAULT_FOLDER) == ()


def test_only_harm_is_a_breach():
    breaches = {guideline.id for guideline in PACK.guidelines if guideline.severity is Severity.BREACH}
    assert breaches == {"allegation-as-fact", "financial-advice", "medical-advice", "minors", "private-details"}


@pytest.mark.parametrize("guideline", PACK.guidelines, ids=lambda guideline: guideline.id)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12].strip())
def test_no_text_makes_a_pattern_slow(guideline, text):
    article = build_article([Block(text)])
    assert takes_less_than(SLOW_SECONDS, lambda: check_patterns(guideline, ArticleView(article), method=Method.PATTERN))


def test_the_pack_survives_being_written(tmp_path):
    write_pack(PACK, tmp_path)
    assert load_pack(tmp_path, name="house") == PACK
