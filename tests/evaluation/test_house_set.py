"""The labelled set `house` is what its card says."""

from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from agent.pack_files import default_pack
from evaluation.labels import LabelledSet, json_schema, read_labels
from evaluation.near_duplicates import closest_elsewhere
from evaluation.planting import CleanArticle, read_clean, read_recipe
from evaluation.plants import REGISTERS, Plants, read_plants
from pipelines.build_set import build_set

HOUSE = Path(__file__).parents[2] / "datasets" / "house"
SPLITS = ("dev", "test")
LEAST_ARTICLES = {"dev": 40, "test": 120}
LEAST_PLANTED = {"dev": 120, "test": 360}
MOST_SIMILAR = 0.05  # of 5-word runs that two clean articles share
GUIDELINES = sorted(default_pack().by_id)


@pytest.fixture(scope="module")
def house() -> LabelledSet:
    return read_labels(HOUSE)


@pytest.fixture(scope="module")
def clean() -> dict[str, list[CleanArticle]]:
    return {split: [read_clean(path) for path in sorted((HOUSE / "articles" / split).glob("*.md"))] for split in SPLITS}


@pytest.fixture(scope="module")
def plants() -> dict[tuple[str, str], Plants]:
    return {
        (split, path.stem): read_plants(path) for split in SPLITS for path in (HOUSE / "plants" / split).glob("*.yaml")
    }


def test_the_files_are_what_the_folder_makes():
    build_set(HOUSE, default_pack(), Console(quiet=True), check=True)
    assert (HOUSE / "schema.json").read_text() == json_schema()


@pytest.mark.parametrize("split", SPLITS)
def test_there_are_enough_clean_articles_in_every_register(clean, split):
    assert len(clean[split]) >= LEAST_ARTICLES[split]
    assert all(150 <= one.article.words <= 700 for one in clean[split])
    registers = Counter(one.facts.register_ for one in clean[split])
    assert set(registers) == set(REGISTERS)
    assert min(registers.values()) >= LEAST_ARTICLES[split] / 20


def test_clean_articles_share_no_template(clean):
    everything = [one for split in SPLITS for one in clean[split]]
    names = [one.slug for one in everything]
    closest = closest_elsewhere([one.article.text for one in everything], names)  # each a split of its own
    alike = {name: similar for name, similar in zip(names, closest, strict=True) if similar}
    assert {name: one for name, one in alike.items() if one.similarity > MOST_SIMILAR} == {}


@pytest.mark.parametrize("split", SPLITS)
def test_there_are_enough_planted_articles(house, split):
    articles = house.of_split(split).articles
    assert sum("clean" not in article.slices for article in articles) >= LEAST_PLANTED[split]
    assert sum("clean" in article.slices for article in articles) >= LEAST_ARTICLES[split]
    assert sum("injection" in article.slices for article in articles) >= 8


def test_every_guideline_has_its_labels(house):
    critical = read_recipe(HOUSE).critical
    assert set(critical) == {g.id for g in default_pack().guidelines if g.severity == "breach"}
    test = house.of_split("test").articles
    violations = Counter(span.guideline for article in test for span in article.spans)
    negatives = Counter(span.guideline for article in test for span in article.negatives)
    assert sorted(violations) == sorted(negatives) == GUIDELINES
    assert {id: count for id, count in violations.items() if count < (120 if id in critical else 60)} == {}
    assert {id: count for id, count in negatives.items() if count < 60} == {}


def test_every_guideline_is_spread_over_the_groups(house):
    """One label a group is worth most: as many groups as there are labels, as far as the set has groups."""
    test = house.of_split("test").articles
    groups: dict[str, set[str]] = {}
    for article in test:
        for span in article.spans:
            groups.setdefault(span.guideline, set()).add(article.group)
    assert {id: len(found) for id, found in groups.items() if len(found) < 40} == {}


@pytest.mark.parametrize("guideline", GUIDELINES)
def test_realisations_are_many_and_stay_in_their_split(plants, guideline):
    dev, test = plants["dev", guideline], plants["test", guideline]
    assert len(test.violations) >= 8
    assert len(test.negatives) >= 8
    both = []
    for one in (dev, test):
        texts = [plant.text.casefold() for plant in (*one.violations, *one.negatives)]
        assert len(texts) == len(set(texts))
        both.append(set(texts) | {plant.marked.casefold() for plant in one.violations})
    assert both[0] & both[1] == set()
