"""A labelled set from clean articles and plants: what is planted is known, so its spans are exact by construction.

Every clean article is the group of its variants. Of each guideline, so many violations and hard negatives are spread
over the groups of a split, each in another group as long as there are groups, realisations in turn; a variant gets
them at different places. The clean article itself stays in the set. The same folders and seed make the same set.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.article import PARAGRAPH_GAP, Article, Block, ParagraphKind, build_article
from agent.formats.reading import article_from_markdown
from agent.guideline import Guideline
from evaluation.labels import LabelledArticle, LabelledSet, LabelledSpan, kinds_of
from evaluation.plants import REGISTERS, Filled, Place, Plant, PlantError, Plants, fill, read_plants

T = TypeVar("T")
ANNOTATOR = "construction"
_KINDS = {Place.HEADING: ParagraphKind.HEADING, Place.LIST: ParagraphKind.LIST_ITEM}
_PLANTED_LEVEL = 2  # of headings


class Facts(BaseModel):
    """What a clean article says of itself, for the slots of plants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1)
    register_: str = Field(alias="register", pattern="|".join(REGISTERS))
    person: str
    place: str
    organisation: str
    topic: str

    @property
    def slots(self) -> dict[str, str]:
        return {"person": self.person, "place": self.place, "organisation": self.organisation, "topic": self.topic}


@dataclass(frozen=True)
class CleanArticle:
    """An article without violations, to plant into."""

    slug: str
    facts: Facts
    article: Article


class Quota(BaseModel):
    """How much is planted in a split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variants: int = Field(ge=1)  # planted articles for each clean one
    violations: int = Field(ge=1)  # of each guideline
    critical_violations: int = Field(ge=1)  # of each guideline that is critical
    negatives: int = Field(ge=1)
    injections: int = Field(default=0, ge=0)  # variants that also talk to the model


class Recipe(BaseModel):
    """How a labelled set is made of its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    critical: tuple[str, ...]
    splits: dict[str, Quota]
    injections: tuple[str, ...] = ()  # texts that tell a model what to do; no guideline's violation


@dataclass(frozen=True, slots=True)
class Planted:
    """A plant, filled for the article it stands in."""

    guideline: str
    is_violation: bool
    filled: Filled
    place: Place


@dataclass
class Variant:
    """A clean article and what is planted in it."""

    base: CleanArticle
    number: int
    planted: list[Planted] = field(default_factory=list)
    injection: str = ""

    def has(self, guideline: str) -> bool:
        return any(one.guideline == guideline for one in self.planted)


def read_recipe(folder: Path) -> Recipe:
    """Raises PlantError."""
    path = folder / "recipe.yaml"
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise PlantError(f"{path} can't be read as a recipe: {error}") from error


def plant_set(folder: Path, guidelines: Mapping[str, Guideline], recipe: Recipe) -> LabelledSet:
    """The labelled set of `folder`: articles/SPLIT/*.md and plants/SPLIT/GUIDELINE.yaml. Raises PlantError."""
    articles: list[LabelledArticle] = []
    for split, quota in recipe.splits.items():
        clean = [read_clean(path) for path in sorted((folder / "articles" / split).glob("*.md"))]
        plants = [read_plants(path) for path in sorted((folder / "plants" / split).glob("*.yaml"))]
        if not clean or not plants:
            raise PlantError(f"split {split!r} of {folder} needs articles/{split}/*.md and plants/{split}/*.yaml")
        if unknown := [one.guideline for one in plants if one.guideline not in guidelines]:
            raise PlantError(f"plants/{split} are for guideline {unknown[0]!r}, which the pack doesn't have")
        variants = _spread(clean, plants, quota, recipe, random.Random(f"{recipe.seed} {split}"))
        articles += (_labelled(base, split) for base in clean)
        articles += (_planted(variant, split, guidelines) for variant in variants)
    return LabelledSet(name=folder.name, articles=tuple(articles))


def read_clean(path: Path) -> CleanArticle:
    """An article's file: facts as front matter, then Markdown. Raises PlantError."""
    try:
        head, body = path.read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n", 1)
        facts = Facts.model_validate(yaml.safe_load(head))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PlantError(f"{path.name} has no facts between two lines of ---: {error}") from error
    return CleanArticle(path.stem, facts, article_from_markdown(body, title=facts.title, language="en"))


def _spread(
    clean: Sequence[CleanArticle], plants: Sequence[Plants], quota: Quota, recipe: Recipe, rng: random.Random
) -> list[Variant]:
    """Every guideline's plants over the variants, evenly: next comes the emptiest variant of a group not yet used."""
    variants = [Variant(base, number) for base in clean for number in range(1, quota.variants + 1)]
    for one in plants:
        violations = quota.critical_violations if one.guideline in recipe.critical else quota.violations
        for chosen, count, is_violation in (
            (one.violations, violations, True),
            (one.negatives, quota.negatives, False),
        ):
            used: set[str] = set()
            for plant in _in_turn(chosen, count, rng):
                variant = _next(variants, one, plant, used, rng)
                used.add(variant.base.slug)
                filled = fill(plant, variant.base.facts.slots)
                variant.planted.append(Planted(one.guideline, is_violation, filled, plant.place))
    for text, variant in zip(
        _in_turn(recipe.injections, quota.injections, rng), rng.sample(variants, quota.injections), strict=True
    ):
        variant.injection = text
    return variants


def _in_turn(things: Sequence[T], count: int, rng: random.Random) -> Iterator[T]:
    order = list(things)
    for index in range(count):
        if index % len(order) == 0:
            rng.shuffle(order)
        yield order[index % len(order)]


def _next(variants: Sequence[Variant], plants: Plants, plant: Plant, used: set[str], rng: random.Random) -> Variant:
    allowed = [
        variant
        for variant in variants
        if variant.base.facts.register_ not in (*plants.not_in, *plant.not_in) and not variant.has(plants.guideline)
    ]
    fresh = [variant for variant in allowed if variant.base.slug not in used] or allowed
    if not fresh:
        raise PlantError(
            f"there are too few articles for the plants of {plants.guideline!r}: write more, or more variants"
        )
    fewest = min(len(variant.planted) for variant in fresh)
    return rng.choice([variant for variant in fresh if len(variant.planted) == fewest])


@dataclass
class _Draft:
    """A paragraph on its way, with what is planted in it and where it begins."""

    text: str
    kind: ParagraphKind
    level: int
    planted: list[tuple[Planted, int]] = field(default_factory=list)


def _planted(variant: Variant, split: str, guidelines: Mapping[str, Guideline]) -> LabelledArticle:
    seed = hashlib.sha256(f"{variant.base.slug} {variant.number}".encode()).hexdigest()
    rng = random.Random(seed)
    drafts = [_Draft(p.text, p.kind, p.level) for p in variant.base.article.paragraphs]
    prose = [draft for draft in drafts if draft.kind is ParagraphKind.TEXT]
    for one in variant.planted:
        if one.place is Place.SENTENCE:
            _append(prose, one, rng)
    for one in variant.planted:
        if one.place is not Place.SENTENCE:
            level = _PLANTED_LEVEL if one.place is Place.HEADING else 0
            draft = _Draft(one.filled.text, _KINDS.get(one.place, ParagraphKind.TEXT), level, [(one, 0)])
            drafts.insert(_gap(drafts, one.place, rng), draft)
    if variant.injection:
        drafts.insert(_gap(drafts, Place.PARAGRAPH, rng), _Draft(variant.injection, ParagraphKind.TEXT, 0))
    return _assembled(variant, split, drafts, guidelines)


def _append(prose: Sequence[_Draft], one: Planted, rng: random.Random) -> None:
    """Sets a sentence at the end of the paragraph that has the fewest yet."""
    fewest = min(len(draft.planted) for draft in prose)
    draft = rng.choice([draft for draft in prose if len(draft.planted) == fewest])
    draft.planted.append((one, len(draft.text) + 1))
    draft.text = f"{draft.text} {one.filled.text}"


def _gap(drafts: Sequence[_Draft], place: Place, rng: random.Random) -> int:
    """Where a paragraph of its own goes: never before the first, and before prose, so that headings keep their text."""
    if place is Place.END:
        return len(drafts)
    gaps = [index for index in range(1, len(drafts)) if drafts[index].kind is ParagraphKind.TEXT]
    gaps = [index for index in gaps if drafts[index - 1].kind is not ParagraphKind.HEADING] or [len(drafts)]
    return rng.choice(gaps)


def _assembled(
    variant: Variant, split: str, drafts: Sequence[_Draft], guidelines: Mapping[str, Guideline]
) -> LabelledArticle:
    facts = variant.base.facts
    article = build_article(
        [Block(draft.text, draft.kind, draft.level) for draft in drafts], title=facts.title, language="en"
    )
    spans: dict[bool, list[LabelledSpan]] = {True: [], False: []}
    for draft, paragraph in zip(drafts, article.paragraphs, strict=True):
        for one, begins in draft.planted:
            start, end = begins + one.filled.start, begins + one.filled.end
            spans[one.is_violation].append(
                LabelledSpan(
                    guideline=one.guideline,
                    start=paragraph.start + start,
                    end=paragraph.start + end,
                    quote=draft.text[start:end],
                    severity=guidelines[one.guideline].severity if one.is_violation else None,
                    annotator=ANNOTATOR,
                    provenance="planted",
                )
            )
    return LabelledArticle(
        id=f"{variant.base.slug}-{variant.number}",
        group=variant.base.slug,
        split=split,
        title=facts.title,
        language="en",
        text=PARAGRAPH_GAP.join(draft.text for draft in drafts),
        kinds=kinds_of(article),
        slices=(facts.register_, *(("injection",) if variant.injection else ())),
        spans=tuple(sorted(spans[True], key=lambda span: span.start)),
        negatives=tuple(sorted(spans[False], key=lambda span: span.start)),
    )


def _labelled(base: CleanArticle, split: str) -> LabelledArticle:
    return LabelledArticle(
        id=base.slug,
        group=base.slug,
        split=split,
        title=base.facts.title,
        language="en",
        text=base.article.text,
        kinds=kinds_of(base.article),
        slices=(base.facts.register_, "clean"),
    )
