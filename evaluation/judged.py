"""Findings that a judge or a person has an opinion of, as JSON Lines: one finding a line."""

import hashlib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evaluation.labels import LabelError, LabelledArticle, LabelledSet, MalformedLabels
from evaluation.record import ArticleResult, Evaluation


class Criterion(StrEnum):
    """What is asked of a finding. It is good or bad by each."""

    FAITHFULNESS = "faithfulness"  # the article, read with the guideline, says what the message says
    SUGGESTION = "suggestion"  # it keeps the meaning, mends what the guideline is about, reads naturally
    QUOTE = "quote"  # the words that are marked are the ones that break the guideline


class NothingToJudge(LabelError):
    """An evaluation has no finding that a model wrote."""

    type = "nothing-to-judge"


class WrittenFinding(BaseModel):
    """A finding as a model wrote it. Offsets are code points in the article's text, end exclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str  # of article, guideline, place and what is written: the same in another run, if it is the same
    article: str
    group: str
    guideline: str
    start: int = Field(ge=0)
    end: int
    quote: str = Field(min_length=1)
    message: str
    suggestion: str = ""  # instead of the quote; empty where there is none

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """What can be asked of it."""
        written = {Criterion.FAITHFULNESS: self.message, Criterion.SUGGESTION: self.suggestion}
        return tuple(one for one in Criterion if written.get(one, self.quote))


class Opinion(BaseModel):
    """What a judge says of a finding by one criterion, or why it said nothing."""

    model_config = ConfigDict(frozen=True)

    good: bool | None = None  # None: the judge failed
    score: float | None = None  # faithfulness 0 to 1, the others 1 to 5
    reason: str = ""  # in the judge's words, or of its failure

    @model_validator(mode="after")
    def _whole(self) -> "Opinion":
        if (self.good is None) != (self.score is None):
            raise ValueError("an opinion has both good and score, or neither")
        return self


class JudgedFinding(WrittenFinding):
    """A finding with what is thought of it; `human` is filled in by a person, "" where one can't tell."""

    human: dict[Criterion, Literal["good", "bad", ""]] = {}
    judge: dict[Criterion, Opinion] = {}


def written_findings(evaluation: Evaluation, labelled: LabelledSet) -> tuple[WrittenFinding, ...]:
    """All that a model wrote, in the order of articles; what several repeats say alike is there once.

    Raises NothingToJudge.
    """
    texts = {article.id: article for article in labelled.articles}
    found: dict[str, WrittenFinding] = {}
    for result in evaluation.results:
        for one in _written(result, texts[result.article]):
            found.setdefault(one.id, one)
    if not found:
        raise NothingToJudge(
            f"the evaluation of {evaluation.ref} on {evaluation.where} has no finding that a model wrote: judge one of "
            "a version with a model, made since records keep messages"
        )
    return tuple(found.values())


def sample(findings: Sequence[WrittenFinding], size: int, seed: int) -> tuple[WrittenFinding, ...]:
    """Findings drawn at random without replacement, in their order; all where there are no more than `size`."""
    if len(findings) <= size:
        return tuple(findings)
    drawn = np.random.default_rng(seed).choice(len(findings), size=size, replace=False)
    return tuple(findings[index] for index in sorted(drawn.tolist()))


def read_judged(path: Path, labelled: LabelledSet) -> tuple[JudgedFinding, ...]:
    """Findings on articles of a set; raises MalformedLabels with each mistake, or LabelError."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{str(path)!r} can't be read as judged findings: {error}") from error
    texts = {article.id: article for article in labelled.articles}
    found: dict[str, JudgedFinding] = {}
    mistakes = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = JudgedFinding.model_validate_json(line)
        except ValidationError as error:
            mistakes += [f"{path.name}:{number}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            continue
        if said := _mistake(one, texts.get(one.article), found):
            mistakes.append(f"{path.name}:{number}: {said}")
        found[one.id] = one
    if mistakes:
        raise MalformedLabels(path, tuple(mistakes))
    return tuple(found.values())


def write_judged(findings: Iterable[JudgedFinding], path: Path, *, blind: bool = False) -> None:
    """Each finding with room for a person's verdicts; `blind` leaves out the judge's, which would sway the person."""
    path.write_text(judged_lines(findings, blind=blind), encoding="utf-8", newline="\n")


def judged_lines(findings: Iterable[JudgedFinding], *, blind: bool = False) -> str:
    """The lines of `write_judged`."""
    lines = []
    for one in findings:
        room = dict.fromkeys(one.criteria, "") | one.human
        kept = one.model_copy(update={"human": room, "judge": {} if blind else one.judge})
        lines.append(kept.model_dump_json(exclude={"judge"} if blind else None) + "\n")
    return "".join(lines)


def _written(result: ArticleResult, article: LabelledArticle) -> Iterable[WrittenFinding]:
    for guideline, checked in result.guidelines.items():
        if len(checked.messages) != len(checked.predicted):
            continue  # by patterns
        suggestions = checked.suggestions or ("",) * len(checked.messages)
        for span, message, suggestion in zip(checked.predicted, checked.messages, suggestions, strict=True):
            parts = (article.id, guideline, str(span.start), str(span.end), message, suggestion)
            yield WrittenFinding(
                id=hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:16],
                article=article.id,
                group=article.group,
                guideline=guideline,
                start=span.start,
                end=span.end,
                quote=article.text[span.start : span.end],
                message=message,
                suggestion=suggestion,
            )


def _mistake(one: JudgedFinding, article: LabelledArticle | None, before: Iterable[str]) -> str:
    if article is None:
        return f"article {one.article!r} is not in the labelled set"
    if (there := article.text[one.start : one.end]) != one.quote:
        return f"finding {one.id!r} quotes {one.quote!r}, and the text has {there!r} there"
    return f"finding {one.id!r} is there twice" if one.id in before else ""
