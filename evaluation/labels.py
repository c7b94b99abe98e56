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
        lines = sorted(article.model_dump_json() for article in self.articles)
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


def read_labels(path: Path) -> LabelledSet:
    """Reads a .jsonl file, or all those of a folder, whole.

    Raises LabelError with file and line of each mistake, and then reads nothing.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise LabelError(f"{str(path)!r} has no .jsonl files: name a labelled set")
    articles: list[LabelledArticle] = []
    mistakes: list[str] = []
    for file in files:
        found, wrong = _read(file)
        articles += found
        mistakes += wrong
    mistakes += _repeats(articles)
    if mistakes:
        shown = "\n".join(mistakes[:MAX_MISTAKES])
        rest = f"\nand {len(mistakes) - MAX_MISTAKES} more" if len(mistakes) > MAX_MISTAKES else ""
        counted = f"{len(mistakes)} mistake{'s' * (len(mistakes) != 1)}"
        raise LabelError(f"labels {str(path)!r} have {counted}; nothing was read\n{shown}{rest}")
    return LabelledSet(name=path.name if path.is_dir() else path.stem, articles=tuple(articles))


def write_labels(labelled: LabelledSet, path: Path) -> None:
    """Writes a set to one file, so that it reads the same."""
    dumped = (article.model_dump(mode="json", exclude_defaults=True) for article in labelled.articles)
    lines = (json.dumps(article, ensure_ascii=False) for article in dumped)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def json_schema() -> str:
    """The schema of one line of a labelled set."""
    return json.dumps(LabelledArticle.model_json_schema(), indent=2) + "\n"


def _block(text: str, kind: str) -> Block:
    if kind.startswith("heading"):
        return Block(text, ParagraphKind.HEADING, int(kind[-1]))
    return Block(text, ParagraphKind(kind))


def _read(file: Path) -> tuple[list[LabelledArticle], list[str]]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{str(file)!r} can't be read as labels: {error}") from error
    articles: list[LabelledArticle] = []
    mistakes: list[str] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                articles.append(LabelledArticle.model_validate_json(line))
            except ValidationError as error:
                mistakes += (f"{file.name}:{number}: {said}" for said in _said(error))
    return articles, mistakes


def _said(error: ValidationError) -> Iterator[str]:
    for details in error.errors():
        where = ".".join(map(str, details["loc"]))
        yield f"{where}: {details['msg']}" if where else details["msg"].removeprefix("Value error, ")


def _repeats(articles: Iterable[LabelledArticle]) -> Iterator[str]:
    """Ids that are there more than once, and groups that stand in several splits."""
    ids: set[str] = set()
    splits: dict[str, str] = {}
    for article in articles:
        if article.id in ids:
            yield f"id {article.id!r} is there twice: give one of them another id"
        if splits.setdefault(article.group, article.split) != article.split:
            yield f"group {article.group!r} stands in two splits: what belongs together must not leak"
        ids.add(article.id)
