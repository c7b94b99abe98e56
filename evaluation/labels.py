"""Labelled articles: what breaks which guideline, at exact words, as JSON Lines.

One article a line. Its text is canonical (paragraphs joined by a blank line, nothing to trim), so offsets hold in
every channel. Offsets are Unicode code points, end exclusive. `schema.json` beside a set is made from these classes.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.article import PARAGRAPH_GAP, Article, Block, ParagraphKind, build_article
from agent.errors import CopydeskError
from agent.finding import Severity
from agent.guideline import ID_PATTERN

MAX_MISTAKES = 20  # that one message shows
_KIND = re.compile(r"heading[1-6]|text|list|quote|table")


class LabelError(CopydeskError):
    """A labelled set has mistakes; each is named with its line."""

    type = "invalid-labels"


class MalformedLabels(LabelError):
    """Lines of a labelled set can't be read, or contradict each other: nothing of it is read."""

    def __init__(self, path: Path, mistakes: tuple[str, ...]) -> None:
        self.mistakes = mistakes  # each begins with file:line
        shown = "\n".join(mistakes[:MAX_MISTAKES])
        rest = f"\nand {len(mistakes) - MAX_MISTAKES} more" if len(mistakes) > MAX_MISTAKES else ""
        counted = f"{len(mistakes)} mistake{'s' * (len(mistakes) != 1)}"
        super().__init__(f"labels {str(path)!r} have {counted}; nothing was read\n{shown}{rest}")


class LabelledSpan(BaseModel):
    """Words that break a guideline, or (a hard negative) look as if they did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    guideline: str = Field(pattern=ID_PATTERN)
    start: int = Field(ge=0, description="code points from the start of the text")
    end: int = Field(description="exclusive")
    quote: str = Field(min_length=1, description="text[start:end], again")
    severity: Severity | None = Field(default=None, description="as the annotator saw it; none: the guideline's own")
    annotator: str = ""
    provenance: str = Field(default="", description="how it came about: planted, annotated, an editor's decision")


class LabelledArticle(BaseModel):
    """An article with its labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    group: str = Field(min_length=1, description="articles of one group aren't independent: variants, one story")
    split: str = Field(min_length=1)
    title: str = ""
    language: str = "en"
    text: str = Field(min_length=1)
    kinds: tuple[str, ...] = Field(
        default=(), description="of each paragraph: text, list, quote, table, heading1 to heading6; empty: all text"
    )
    slices: tuple[str, ...] = Field(default=(), description="what is special about it: injection")
    annotators: tuple[str, ...] = Field(
        default=(), description="who read it, also those who labelled nothing; empty: those of its labels"
    )
    spans: tuple[LabelledSpan, ...] = Field(default=(), description="violations")
    negatives: tuple[LabelledSpan, ...] = Field(default=(), description="what only looks like a violation")

    @model_validator(mode="after")
    def _holds_together(self) -> "LabelledArticle":
        for span in (*self.spans, *self.negatives):
            found = self.text[span.start : span.end]
            if not span.start < span.end <= len(self.text) or found != span.quote:
                where = f"{span.guideline} {span.start}..{span.end}"
                raise ValueError(f"span {where} quotes {span.quote!r}, and the text has {found!r} there")
        if wrong := [kind for kind in self.kinds if not _KIND.fullmatch(kind)]:
            raise ValueError(f"kind {wrong[0]!r} is none of text, list, quote, table, heading1 to heading6")
        paragraphs = self.text.split(PARAGRAPH_GAP)
        if self.kinds and len(self.kinds) != len(paragraphs):
            raise ValueError(f"there are {len(self.kinds)} kinds for {len(paragraphs)} paragraphs")
        if any(not p.strip() or p != p.strip() for p in paragraphs) or self.article.text != self.text:
            raise ValueError("the text is not canonical: join its paragraphs by one blank line, and trim them")
        return self

    @property
    def readers(self) -> tuple[str, ...]:
        """The annotators that have a name, sorted."""
        named = {span.annotator for span in (*self.spans, *self.negatives)}
        return tuple(sorted({*self.annotators, *named} - {""}))

    @cached_property
    def article(self) -> Article:
        """The article as it is checked."""
        texts = self.text.split(PARAGRAPH_GAP)
        blocks = map(_block, texts, self.kinds or ["text"] * len(texts))
        return build_article(blocks, title=self.title, language=self.language)


class LabelledSet(BaseModel):
    """Labelled articles in the order of their file."""

    model_config = ConfigDict(frozen=True)

    name: str
    articles: tuple[LabelledArticle, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the content of all articles, whatever their order: the version of the set."""
        lines = sorted(map(_content, self.articles))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def guidelines(self) -> tuple[str, ...]:
        """Ids of all guidelines with a label, sorted."""
        spans = (span for article in self.articles for span in (*article.spans, *article.negatives))
        return tuple(sorted({span.guideline for span in spans}))

    def of_split(self, split: str) -> "LabelledSet":
        """The articles of one split; raises LabelError when there are none."""
        chosen = tuple(article for article in self.articles if article.split == split)
        if not chosen:
            there = ", ".join(sorted({article.split for article in self.articles})) or "none"
            raise LabelError(f"set {self.name!r} has no split {split!r}: there are {there}")
        return LabelledSet(name=self.name, articles=chosen)


def kinds_of(article: Article) -> tuple[str, ...]:
    """The kinds of an article's paragraphs, as a labelled article has them."""
    kinds = tuple(f"{p.kind}{p.level}" if p.kind is ParagraphKind.HEADING else str(p.kind) for p in article.paragraphs)
    return kinds if any(kind != ParagraphKind.TEXT for kind in kinds) else ()


def label_files(path: Path) -> list[Path]:
    """The .jsonl files of a labelled set; raises LabelError for a folder that has none."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise LabelError(f"{str(path)!r} has no .jsonl files: name a labelled set")
    return files


def read_labels(path: Path) -> LabelledSet:
    """Reads a .jsonl file, or all those of a folder, whole.

    Raises MalformedLabels with file and line of each mistake, and then reads nothing.
    """
    placed: list[tuple[str, LabelledArticle]] = []
    mistakes: list[str] = []
    for file in label_files(path):
        found, wrong = _read(file)
        placed += found
        mistakes += wrong
    mistakes += _repeats(placed)
    if mistakes:
        raise MalformedLabels(path, tuple(mistakes))
    name = path.name if path.is_dir() else path.stem
    return LabelledSet(name=name, articles=tuple(article for _, article in placed))


def write_labels(labelled: LabelledSet, path: Path) -> None:
    """Writes a set to one file, so that it reads the same."""
    dumped = (article.model_dump(mode="json", exclude_defaults=True) for article in labelled.articles)
    lines = (json.dumps(article, ensure_ascii=False) for article in dumped)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def json_schema() -> str:
    """The schema of one line of a labelled set."""
    return json.dumps(LabelledArticle.model_json_schema(), indent=2) + "\n"


def _content(article: LabelledArticle) -> str:
    """Without annotators they aren't in it: the digest of a set stays what it was before there was this field."""
    return article.model_dump_json(exclude=None if article.annotators else {"annotators"})


def _block(text: str, kind: str) -> Block:
    if kind.startswith("heading"):
        return Block(text, ParagraphKind.HEADING, int(kind[-1]))
    return Block(text, ParagraphKind(kind))


def _read(file: Path) -> tuple[list[tuple[str, LabelledArticle]], list[str]]:
    """Articles with their places, and mistakes."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{str(file)!r} can't be read as labels: {error}") from error
    placed: list[tuple[str, LabelledArticle]] = []
    mistakes: list[str] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            place = f"{file.name}:{number}"
            try:
                placed.append((place, LabelledArticle.model_validate_json(line)))
            except ValidationError as error:
                mistakes += (f"{place}: {said}" for said in _said(error))
    return placed, mistakes


def _said(error: ValidationError) -> Iterator[str]:
    for details in error.errors():
        where = ".".join(map(str, details["loc"]))
        yield f"{where}: {details['msg']}" if where else details["msg"].removeprefix("Value error, ")


def _repeats(placed: Iterable[tuple[str, LabelledArticle]]) -> Iterator[str]:
    """Ids that are there more than once, and groups that stand in several splits."""
    ids: dict[str, str] = {}
    splits: dict[str, tuple[str, str]] = {}
    for place, article in placed:
        if article.id in ids:
            yield f"{place}: id {article.id!r} is there twice, first in {ids[article.id]}: give one of them another id"
        split, first = splits.setdefault(article.group, (article.split, place))
        if split != article.split:
            yield (
                f"{place}: group {article.group!r} stands in two splits, in {split!r} by {first}: "
                "what belongs together must not leak"
            )
        ids.setdefault(article.id, place)
