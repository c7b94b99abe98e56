"""Labelled articles of what an export says; what can't be one is kept with its place and reason."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from agent.errors import ArticleError
from evaluation.importers.export import BadSpan, Export, OffsetUnit, Part, RawDocument, RawSpan, Reason
from evaluation.importers.label_map import LabelMap
from evaluation.importers.merging import Placed, one_per_id, without_overlaps
from evaluation.importers.placing import Misplaced, SourceText
from evaluation.labels import LabelError, LabelledArticle, LabelledSpan, kinds_of


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an import says of articles whose export doesn't."""

    unit: OffsetUnit = OffsetUnit.CODE_POINTS
    split: str = "dev"
    annotator: str = ""
    language: str = "en"
    provenance: str = "annotated"


@dataclass(frozen=True, slots=True)
class Import:
    """Labelled articles, and all that is not among them."""

    articles: tuple[LabelledArticle, ...]
    bad: tuple[BadSpan, ...]
    left_out: Counter[str]  # on purpose, by what it is


@dataclass(slots=True)
class _Labelling:
    """One import under way."""

    labels: LabelMap
    defaults: Defaults
    bad: list[BadSpan] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def labelled_articles(export: Export, labels: LabelMap, defaults: Defaults) -> Import:
    """Raises LabelError where the articles can't be one set: a group in two splits."""
    work = _Labelling(labels, defaults, list(export.bad), Counter(export.left_out))
    articles = []
    for document in one_per_id(export.documents, work.bad):
        try:
            source = SourceText(document.text, title=document.title, language=defaults.language)
            articles.append(_labelled(document, source, work))
        except (ArticleError, ValidationError) as error:
            said = f"document {document.id!r}, labels: {len(document.spans)}: {error}"
            work.bad.append(BadSpan(document.place, Reason.NO_TEXT, said))
    _require_whole_groups(articles)
    return Import(tuple(articles), tuple(work.bad), work.left_out)


def _labelled(document: RawDocument, source: SourceText, work: _Labelling) -> LabelledArticle:
    placed = [found for span in document.spans for found in _placed(span, source, work)]
    readers = {name or work.defaults.annotator for name in document.annotators}
    return LabelledArticle(
        id=document.id,
        group=document.group or document.id,
        split=document.split or work.defaults.split,
        title=source.article.title,
        language=work.defaults.language,
        text=source.article.text,
        kinds=kinds_of(source.article),
        annotators=tuple(sorted(readers - {""})),
        spans=without_overlaps(placed, work.bad),
    )


def _placed(span: RawSpan, source: SourceText, work: _Labelling) -> list[Placed]:
    """The labels that one of the export becomes: several for a discontinuous one, none for a bad one."""
    if work.labels.leaves_out(span.label):
        work.left_out[f"label {span.label!r}, by the mapping"] += 1
        return []
    guideline = work.labels.guideline(span.label)
    if guideline is None:
        work.bad.append(BadSpan(span.place, Reason.UNKNOWN_LABEL, work.labels.way_out(span.label)))
        return []
    try:
        parts = [source.code_points(part, work.defaults.unit) for part in span.parts]
        _require_quote(span, source.text, parts)
        places = [source.placed(part) for part in _joined(parts, source.text)]
    except Misplaced as error:
        work.bad.append(BadSpan(span.place, error.reason, f"{span.label!r}: {error.said}"))
        return []
    return [
        Placed(
            span.place,
            LabelledSpan(
                guideline=guideline,
                start=start,
                end=end,
                quote=source.article.text[start:end],
                annotator=span.annotator or work.defaults.annotator,
                provenance=work.defaults.provenance,
            ),
        )
        for start, end in places
    ]


def _require_quote(span: RawSpan, text: str, parts: Sequence[Part]) -> None:
    """Tools write a quote's line breaks as spaces, and Label Studio as a backslash with an n."""
    if span.quote is None:
        return
    found = " ".join(text[part.start : part.end] for part in parts)
    if found.split() != span.quote.split() and found.split() != span.quote.replace("\\n", "\n").split():
        places = ", ".join(f"{part.start}..{part.end}" for part in parts)
        raise Misplaced(Reason.QUOTE, f"{places} has {found[:60]!r}, and the export quotes {span.quote[:60]!r}")


def _joined(parts: Sequence[Part], text: str) -> list[Part]:
    """Parts with nothing but white space between them are one: brat cuts a label at each line end."""
    joined: list[Part] = []
    for part in sorted(parts):
        if joined and not text[joined[-1].end : part.start].strip():
            joined[-1] = Part(joined[-1].start, max(joined[-1].end, part.end))
        else:
            joined.append(part)
    return joined


def _require_whole_groups(articles: Iterable[LabelledArticle]) -> None:
    splits: dict[str, LabelledArticle] = {}
    for article in articles:
        first = splits.setdefault(article.group, article)
        if first.split != article.split:
            raise LabelError(
                f"group {article.group!r} stands in two splits, {first.split!r} ({first.id}) and {article.split!r} "
                f"({article.id}): give its articles one split, or groups of their own"
            )
