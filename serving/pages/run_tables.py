"""The tables of a comparison: on the page, as CSV and as JSON."""

from collections.abc import Iterable, Mapping, Sequence

from serving.pages import wording
from serving.pages.guidelines import evidence_of, guideline_path
from serving.pages.links import run_link
from serving.pages.rulings import ruling_table
from serving.pages.tables import Column, Linked, Row, Table, Value, figure, number
from serving.ports.versions import ServedVersion
from serving.rulings import GateDecision
from serving.runs import Change, Effort, Raised
from serving.usecases.compare_runs import Comparison

NOT_COMPARED = ("documents", "words", "unpriced", "score")
MOST_GROUPS, MOST_WORDS, MOST_CHARACTERS = 10, 5, 60  # in one cell: guidelines, quotes of each, and of a quote


def tables_of(
    found: Comparison,
    served: Mapping[str, ServedVersion],
    decisions: Mapping[str, GateDecision],
    *,
    reader: str,
    mlflow: str,
) -> tuple[Table, ...]:
    """`mlflow` is its public address, empty where it has none. Words are told of the reader's own articles alone."""
    sides = dict.fromkeys((found.b.version, found.a.version))
    told = [(version, decisions[version]) for version in sides if version in decisions]
    return (
        _guideline_table(found, served, decisions.get(decided_between(found, decisions))),
        _score_table(found),
        _effort_table(found),
        _change_table(found, served, reader, mlflow),
        _gate_table(found, served),
        ruling_table(told, lambda id: title_of(served.values(), id)),
    )


def decided_between(found: Comparison, decisions: Mapping[str, GateDecision]) -> str:
    """Which of the two versions a gate held against the other; empty where it held neither."""
    for one, other in ((found.b.version, found.a.version), (found.a.version, found.b.version)):
        if one and other and one in decisions and decisions[one].against == other:
            return one
    return ""


def title_of(served: Iterable[ServedVersion], guideline: str) -> str:
    """As the latest version that has it calls it; its id where none has."""
    titles = (version.pack.by_id[guideline].title for version in served if guideline in version.pack.by_id)
    return next(titles, guideline)


def _guideline_table(found: Comparison, served: Mapping[str, ServedVersion], decision: GateDecision | None) -> Table:
    columns = (
        Column("guideline", "Guideline"),
        Column("id", "Id"),
        number("a_documents", "A articles"),
        number("a_findings", "A findings"),
        figure("a_rate", "A per 1,000 words"),
        number("b_documents", "B articles"),
        number("b_findings", "B findings"),
        figure("b_rate", "B per 1,000 words"),
        figure("difference", "B less A", wording.change_interval),
        Column("direction", "B raises"),
        Column("ruling", "The gate’s ruling"),
        figure("a_share", "A articles with one", wording.percent_interval),
        figure("b_share", "B articles with one", wording.percent_interval),
    )
    rows: tuple[Row, ...] = tuple(
        {
            "guideline": Linked(title_of(served.values(), one.guideline), guideline_path(one.guideline)),
            "id": one.guideline,
            "a_documents": one.a.documents,
            "a_findings": one.a.findings,
            "a_rate": one.a.per_words,
            "b_documents": one.b.documents,
            "b_findings": one.b.findings,
            "b_rate": one.b.per_words,
            "difference": one.difference,
            "direction": str(one.direction),
            "ruling": ruled.words if decision and (ruled := decision.on(one.guideline)) else None,
            "a_share": one.a.share,
            "b_share": one.b.share,
        }
        for one in found.guidelines
    )
    return Table("guidelines", "Findings by guideline, with 95 % intervals", columns, rows)


def _score_table(found: Comparison) -> Table:
    a, b = (sum(one.a for one in found.scores), sum(one.b for one in found.scores))
    columns = (
        Column("score", "Score"),
        number("a", "A articles"),
        number("a_part", "A share", wording.percent),
        number("b", "B articles"),
        number("b_part", "B share", wording.percent),
    )
    rows = tuple(
        {
            "score": f"{one.low} to {one.high}",
            "a": one.a,
            "a_part": one.a / a if a else None,
            "b": one.b,
            "b_part": one.b / b if b else None,
        }
        for one in found.scores
    )
    return Table("scores", "Articles by score; 100 is the best", columns, rows)


def _effort_table(found: Comparison) -> Table:
    columns = (
        Column("figure", "Figure"),
        Column("unit", "Unit"),
        number("a", "A", _measured),
        number("b", "B", _measured),
        number("change", "B against A", wording.percent_change),
    )
    a, b = found.effort
    each: tuple[tuple[str, str, str], ...] = (
        ("documents", "Articles", "articles"),
        ("words", "Words", "words"),
        ("score", "Score, median", "of 100"),
        ("cost", "Model cost of an article, mean", "in the price table’s currency"),
        ("unpriced", "Articles whose cost isn’t known", "articles"),
        ("input_tokens", "Tokens read by the model, mean", "tokens an article"),
        ("output_tokens", "Tokens written by the model, mean", "tokens an article"),
        ("seconds", "Time of a check, median", "s"),
        ("seconds_p95", "Time of a check, 95 of 100", "s"),
        ("turnaround", "From submitted to finished, median", "s"),
        ("turnaround_p95", "From submitted to finished, 95 of 100", "s"),
    )
    rows = tuple(
        {
            "figure": label,
            "unit": unit,
            "a": _of(a, key),
            "b": _of(b, key),
            "change": None if key in NOT_COMPARED else _change(_of(a, key), _of(b, key)),
        }
        for key, label, unit in each
    )
    return Table("effort", "Cost and time of a check", columns, rows)


def _change_table(found: Comparison, served: Mapping[str, ServedVersion], reader: str, mlflow: str) -> Table:
    columns = (
        Column("article", "Article"),
        number("lost", "Only A raised"),
        number("gained", "Only B raised"),
        Column("a_only", "What only A raised", prose=True),
        Column("b_only", "What only B raised", prose=True),
        Column("a_run", "A in MLflow"),
        Column("b_run", "B in MLflow"),
    )
    rows = tuple(_change_row(one, found, served, reader, mlflow) for one in found.changes)
    return Table("changes", "Articles whose text was the same and whose findings were not", columns, rows)


def _change_row(
    one: Change, found: Comparison, served: Mapping[str, ServedVersion], reader: str, mlflow: str
) -> dict[str, Value]:
    own = one.b.user == reader
    return {
        "article": (one.b.title or one.b.document_id if own else "") or f"Article {one.b.job_id[:8]}",
        "lost": len(one.lost),
        "gained": len(one.gained),
        "a_only": _raised(one.lost, served, _quotes(found, one.a.job_id)),
        "b_only": _raised(one.gained, served, _quotes(found, one.b.job_id)),
        "a_run": run_link(one.a.run_id, mlflow),
        "b_run": run_link(one.b.run_id, mlflow),
    }


def _gate_table(found: Comparison, served: Mapping[str, ServedVersion]) -> Table:
    """What the versions reached on labelled articles before they served."""
    figures = [evidence_of(served.get(side.version)) for side in (found.a, found.b)]
    columns = (
        Column("guideline", "Guideline"),
        Column("id", "Id"),
        number("a_labelled", "A labelled", wording.whole),
        figure("a_recall", "A recall", wording.percent_interval),
        figure("a_precision", "A precision", wording.percent_interval),
        number("b_labelled", "B labelled", wording.whole),
        figure("b_recall", "B recall", wording.percent_interval),
        figure("b_precision", "B precision", wording.percent_interval),
    )
    rows = []
    for id in dict.fromkeys([*figures[0], *figures[1]]):
        row: dict[str, Value] = {
            "guideline": Linked(title_of(served.values(), id), guideline_path(id)),
            "id": id,
        }
        for name, of in zip("ab", figures, strict=True):
            one = of.get(id)
            row[f"{name}_labelled"] = one.labelled if one else None
            row[f"{name}_recall"] = one.recall if one else None
            row[f"{name}_precision"] = one.precision if one else None
        rows.append(row)
    return Table("gate", "What each version reached on labelled articles, with 95 % intervals", columns, tuple(rows))


def _quotes(found: Comparison, job_id: str) -> dict[str, str]:
    """The words by fingerprint; none of somebody else's article."""
    report = found.reports.get(job_id)
    return {one.fingerprint: one.quote for one in report.findings} if report else {}


def _raised(raised: Sequence[Raised], served: Mapping[str, ServedVersion], quotes: Mapping[str, str]) -> str:
    """Use the plain word ×2: “utilise”, “prior to”; Say who makes a claim"""
    groups: dict[str, list[str]] = {}
    for one in raised:
        groups.setdefault(one.guideline, []).append(quotes.get(one.fingerprint, ""))
    said = []
    for id, words in groups.items():
        times = f" ×{len(words)}" if len(words) > 1 else ""
        shown = ", ".join(f"“{wording.shortened(word, MOST_CHARACTERS)}”" for word in words[:MOST_WORDS] if word)
        said.append(f"{title_of(served.values(), id)}{times}{f': {shown}' if shown else ''}")
    more = [f"{len(said) - MOST_GROUPS} more guidelines"] if len(said) > MOST_GROUPS else []
    return "; ".join([*said[:MOST_GROUPS], *more])


def _of(side: Effort, key: str) -> int | float | None:
    value: int | float | None = getattr(side, key)
    return value


def _change(a: float | None, b: float | None) -> float | None:
    return (b - a) / a if a and b is not None else None


def _measured(value: float | None) -> str:
    if value is None or value == int(value) or abs(value) >= 1000:
        return wording.whole(value)
    return wording.decimal(value, 1 if abs(value) >= 10 else 4 if abs(value) < 0.1 else 2)
