"""`/runs`: two versions or two periods of production, by guideline."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from registry.statement import Statement
from serving.access.caller import Caller
from serving.api.services import Services
from serving.errors import BadRequest
from serving.pages import charts, wording
from serving.pages.charts import DotRow, Mark, Point
from serving.pages.guidelines import by_number, evidence_of, guideline_path
from serving.pages.layout import HEADERS, PageRoute, drawn, page
from serving.pages.tables import Column, Linked, Row, Table, Value, figure, find_table, number
from serving.pages.visitor import Use, Visitor
from serving.ports import ServedVersion
from serving.runs import LEVEL_OF_CHANCE, Change, Direction, Effort, Raised, Scope, Side
from serving.usecases.compare_runs import MOST_CHANGES, MOST_DOCUMENTS, PERIOD, Comparison, compare_runs, usual_sides

MARKS = {Direction.MORE: Mark.MORE, Direction.FEWER: Mark.FEWER}
MOST_GROUPS, MOST_WORDS, MOST_CHARACTERS = 10, 5, 60  # in one cell: guidelines, quotes of each, and of a quote
DAY, MOMENT = timedelta(days=1), timedelta(seconds=1)

router = APIRouter(include_in_schema=False, route_class=PageRoute)


class Asked(BaseModel):
    """What the form asks; empty fields as browsers send them. A day ends with it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    a_version: str = Field(default="", max_length=20)
    a_from: str = ""
    a_to: str = ""
    b_version: str = Field(default="", max_length=20)
    b_from: str = ""
    b_to: str = ""
    channel: str = Field(default="", max_length=50)
    documents: str = Field(default="", max_length=200)
    guideline: str = Field(default="", max_length=64)

    @property
    def says_sides(self) -> bool:
        return any((self.a_version, self.a_from, self.a_to, self.b_version, self.b_from, self.b_to))

    @property
    def scope(self) -> Scope:
        return Scope(self.channel, self.documents.strip(), self.guideline)

    def sides(self, now: datetime) -> tuple[Side, Side]:
        """Raises BadRequest."""
        return (
            _side(self.a_version, self.a_from, self.a_to, "A", now),
            _side(self.b_version, self.b_from, self.b_to, "B", now),
        )


class Compared(NamedTuple):
    found: Comparison
    served: Mapping[str, ServedVersion]
    tables: tuple[Table, ...]

    def title(self, guideline: str) -> str:
        return title_of(self.served.values(), guideline)


@router.get("/runs")
async def runs_page(use: Use, caller: Visitor, asked: Annotated[Asked, Query()]) -> Response:
    now = use.clock()
    compared = await _compared(use, caller, asked, now)
    found, tables = compared.found, {table.name: table for table in compared.tables}
    differing = [one for one in found.guidelines if one.direction in MARKS]
    return page(
        "runs.html",
        caller,
        here="/runs",
        asked=asked,
        a=found.a,
        b=found.b,
        last=(found.a.until - MOMENT, found.b.until - MOMENT),
        found=found,
        tables=tables,
        versions=sorted({*await use.runs.versions(now - PERIOD * 12), *compared.served}, key=by_number),
        channels=await use.runs.channels(now - PERIOD * 12),
        guidelines=sorted(_guidelines(compared), key=lambda one: one[1]),
        gates=[_gate(side, compared.served, use) for side in (found.a, found.b)],
        differing=differing,
        by_chance=LEVEL_OF_CHANCE * len(found.guidelines),
        dots=drawn(_dots(compared)),
        scores=drawn(_scores(found)),
        query=_query(asked),
        most=MOST_DOCUMENTS,
        most_changes=MOST_CHANGES,
        own=caller.user,
    )


@router.get("/runs.json")
async def runs_json(use: Use, caller: Visitor, asked: Annotated[Asked, Query()]) -> Response:
    compared = await _compared(use, caller, asked, use.clock())
    found = compared.found
    sides = {
        name: {"version": side.version or None, "since": side.since.isoformat(), "until": side.until.isoformat()}
        for name, side in (("a", found.a), ("b", found.b))
    }
    body = {**sides, **{table.name: table.records() for table in compared.tables}}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.get("/runs.csv")
async def runs_csv(use: Use, caller: Visitor, asked: Annotated[Asked, Query()], table: str = "guidelines") -> Response:
    compared = await _compared(use, caller, asked, use.clock())
    wanted = find_table(compared.tables, table)
    if wanted is None:
        names = ", ".join(one.name for one in compared.tables)
        raise BadRequest(f"there is no table {table[:40]!r}: ask for one of {names}")
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="runs-{wanted.name}.csv"',
        "X-Content-Type-Options": HEADERS["X-Content-Type-Options"],
    }
    return Response(wanted.csv(), media_type="text/csv; charset=utf-8", headers=headers)


def title_of(served: Iterable[ServedVersion], guideline: str) -> str:
    """As the latest version that has it calls it; its id where none has."""
    titles = (version.pack.by_id[guideline].title for version in served if guideline in version.pack.by_id)
    return next(titles, guideline)


async def _compared(use: Services, caller: Caller, asked: Asked, now: datetime) -> Compared:
    sides = asked.sides(now) if asked.says_sides else await usual_sides(use.runs, use.versions, now)
    found = await compare_runs(use.runs, a=sides[0], b=sides[1], scope=asked.scope, reader=caller.user)
    served = {version.stamp.number: version for version in await use.versions.all()}
    tables = (
        _guideline_table(found, served),
        _score_table(found),
        _effort_table(found),
        _change_table(found, served, caller.user, use.settings.mlflow_public_url),
        _gate_table(found, served),
    )
    return Compared(found, served, tables)


def _guideline_table(found: Comparison, served: Mapping[str, ServedVersion]) -> Table:
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
        number("a_part", "A part", wording.percent),
        number("b", "B articles"),
        number("b_part", "B part", wording.percent),
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
    rows = tuple({"figure": label, "unit": unit, "a": _of(a, key), "b": _of(b, key)} for key, label, unit in each)
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
        "article": (one.b.title or one.b.document_id if own else "") or f"article {one.b.job_id[:8]}",
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


class Gate(NamedTuple):
    """What stands behind one side's version."""

    version: str
    why: str  # why nothing does; else empty
    statement: Statement | None
    ungated: bool
    record: str
    run: Linked | str | None


def _gate(side: Side, served: Mapping[str, ServedVersion], use: Services) -> Gate:
    version = served.get(side.version)
    if not side.version:
        return Gate(
            "", "Every version of the period is in it, so no one decision speaks for it.", None, False, "", None
        )
    if version is None or version.evidence is None:
        why = "No worker has told what it was promoted with."
        return Gate(side.version, why, None, False, "", None)
    evidence = version.evidence
    run = run_link(evidence.statement.run, use.settings.mlflow_public_url)
    return Gate(side.version, "", evidence.statement, evidence.promotion.is_ungated, evidence.record, run)


def run_link(run_id: str, mlflow: str) -> Linked | str | None:
    """The run where MLflow's address is known, else its id."""
    if not run_id or not mlflow:
        return run_id or None
    return Linked(run_id[:8], f"{mlflow.rstrip('/')}/#/runs/{run_id}")


def _dots(compared: Compared) -> str:
    rows = [
        DotRow(
            compared.title(one.guideline),
            (
                Point(one.a.per_words, Mark.BEFORE, "A"),
                Point(one.b.per_words, MARKS.get(one.direction, Mark.AFTER), "B"),
            ),
        )
        for one in compared.found.guidelines
    ]
    title = "Findings in 1,000 words by guideline: A and B, with 95 % intervals"
    return charts.dots(rows, id="dots", title=title, unit="findings in 1,000 words")


def _scores(found: Comparison) -> str:
    parts = []
    for name, mark, counts in (
        ("A", Mark.BEFORE, [one.a for one in found.scores]),
        ("B", Mark.AFTER, [one.b for one in found.scores]),
    ):
        total = sum(counts) or 1
        parts.append((name, mark, [round(100 * count / total, 1) for count in counts]))
    labels = [f"{one.low}–{one.high}" for one in found.scores]
    title = "Articles by score: A and B, in parts of each side"
    return charts.columns(labels, parts, id="scores", title=title, axis="score, 100 is the best", unit=" %")


def _guidelines(compared: Compared) -> list[tuple[str, str]]:
    ids = {id for version in compared.served.values() for id in version.pack.by_id}
    ids |= {one.guideline for one in compared.found.guidelines}
    return [(id, compared.title(id)) for id in ids]


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


def _measured(value: float | None) -> str:
    if value is None or value == int(value):
        return wording.whole(value)
    return wording.decimal(value, 1 if abs(value) >= 10 else 4 if abs(value) < 0.1 else 2)


def _side(version: str, since: str, until: str, name: str, now: datetime) -> Side:
    first = _day(since, f"{name} from") or (now - PERIOD).date()
    last = _day(until, f"{name} to")
    end = datetime.combine(last, time(), UTC) + DAY if last else now
    side = Side(version, datetime.combine(first, time(), UTC), end)
    if side.since >= side.until:
        raise BadRequest(f"side {name} ends before it begins: {since or 'a month ago'} to {until or 'today'}")
    return side


def _day(given: str, field: str) -> date | None:
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise BadRequest(f"{field} is {given[:40]!r}: write a day as 2026-11-23") from error


def _query(asked: Asked) -> dict[str, str]:
    return {name: str(value) for name, value in asked.model_dump().items() if value}
