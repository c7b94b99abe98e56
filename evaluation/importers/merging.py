"""What an export says more than once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from evaluation.importers.export import BadSpan, RawDocument, Reason
from evaluation.labels import LabelledSpan

_FACTS = ("text", "group", "title", "split")
_SHOWN = 60  # characters of a quote


@dataclass(frozen=True, slots=True)
class Placed:
    """A label in the article's text, with its place in the export."""

    place: str
    span: LabelledSpan


def one_per_id(documents: Iterable[RawDocument], bad: list[BadSpan]) -> list[RawDocument]:
    """One document an id: an export may have one record for each annotator, or for each label."""
    merged: dict[str, RawDocument] = {}
    for document in documents:
        first = merged.setdefault(document.id, document)  # with all of its records so far
        if first is document:
            continue
        if other := next((name for name in _FACTS if getattr(first, name) != getattr(document, name)), None):
            said = (
                f"document {document.id!r} was in {first.place} with another {other}; it has "
                f"{getattr(document, other)[:_SHOWN]!r} here, labels: {len(document.spans)}"
            )
            bad.append(BadSpan(document.place, Reason.CONTRADICTION, said))
        else:
            merged[document.id] = replace(
                first,
                spans=(*first.spans, *document.spans),
                annotators=(*first.annotators, *document.annotators),
            )
    return list(merged.values())


def without_overlaps(placed: Sequence[Placed], bad: list[BadSpan]) -> tuple[LabelledSpan, ...]:
    """Of labels of one guideline by one annotator that share characters, the longest, in text order."""
    kept: list[Placed] = []
    for one in sorted(placed, key=lambda one: one.span.start - one.span.end):
        if other := next((other for other in kept if _overlap(one.span, other.span)), None):
            quote, longer = one.span.quote[:_SHOWN], other.span.quote[:_SHOWN]
            said = f"{one.span.guideline}: {quote!r} shares characters with {longer!r} ({other.place}), which is kept"
            bad.append(BadSpan(one.place, Reason.OVERLAP, said))
        else:
            kept.append(one)
    spans = (one.span for one in kept)
    return tuple(sorted(spans, key=lambda span: (span.start, span.end, span.guideline, span.annotator)))


def _overlap(a: LabelledSpan, b: LabelledSpan) -> bool:
    same = (a.guideline, a.annotator) == (b.guideline, b.annotator)
    return same and a.start < b.end and b.start < a.end
