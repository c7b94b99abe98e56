"""`/runs`: two versions or two periods of production, by guideline."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from registry.statement import Statement
from serving.access.caller import Caller
from serving.api.services import Services
from serving.errors import BadRequest
from serving.pages import charts
from serving.pages.charts import DotRow, Mark, Note, Point
from serving.pages.guidelines import by_number
from serving.pages.layout import HEADERS, PageRoute, drawn, page
from serving.pages.links import run_link
from serving.pages.rulings import NOT_TOLD, Decided, decisions_of, lines_of, shown
from serving.pages.run_tables import decided_between, tables_of, title_of
from serving.pages.tables import Table, find_table
from serving.pages.visitor import Use, Visitor
from serving.ports.versions import ServedVersion
from serving.rulings import GateDecision
from serving.runs import LEVEL_OF_CHANCE, Direction, Scope, Side
from serving.usecases.compare_runs import MOST_CHANGES, MOST_DOCUMENTS, PERIOD, Comparison, compare_runs, usual_sides

MARKS = {Direction.MORE: Mark.MORE, Direction.FEWER: Mark.FEWER}
DAY, MOMENT = timedelta(days=1), timedelta(seconds=1)
FIRST_CHANGES = 10  # in sight; the others are folded

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
    decisions: Mapping[str, GateDecision]  # by version
    tables: tuple[Table, ...]

    @property
    def between(self) -> str:
        """The version that the gate held against the other one; empty where it did not."""
        return decided_between(self.found, self.decisions)

    def title(self, guideline: str) -> str:
        return title_of(self.served.values(), guideline)


@router.get("/runs")
async def runs_page(use: Use, caller: Visitor, asked: Annotated[Asked, Query()]) -> Response:
    now = use.clock()
    compared = await _compared(use, caller, asked, now)
    found, tables = compared.found, {table.name: table for table in compared.tables}
    differing = [one for one in found.guidelines if one.direction in MARKS]
    gates = [_gate(side, compared, use) for side in (found.a, found.b)]
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
        changes=tables["changes"].split(FIRST_CHANGES),
        versions=sorted({*await use.runs.versions(now - PERIOD * 12), *compared.served}, key=by_number),
        channels=await use.runs.channels(now - PERIOD * 12),
        guidelines=sorted(_guidelines(compared), key=lambda one: one[1]),
        gates=gates,
        between_sides=next((gate.decided for gate in gates if gate.version == compared.between), None),
        unruled=_unruled(compared),
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
    body = {**sides, "decision": _decision(compared), **{table.name: table.records() for table in compared.tables}}
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


async def _compared(use: Services, caller: Caller, asked: Asked, now: datetime) -> Compared:
    sides = asked.sides(now) if asked.says_sides else await usual_sides(use.runs, use.versions, now)
    found = await compare_runs(use.runs, a=sides[0], b=sides[1], scope=asked.scope, reader=caller.user)
    served = {version.stamp.number: version for version in await use.versions.all()}
    both = [served[side.version] for side in (found.a, found.b) if side.version in served]
    decisions = await decisions_of(use.decisions, both)
    tables = tables_of(found, served, decisions, reader=caller.user, mlflow=use.settings.mlflow_public_url)
    return Compared(found, served, decisions, tables)


def _decision(compared: Compared) -> dict[str, str | None] | None:
    """Between the two versions, as JSON has it; null where the gate held neither against the other."""
    version = compared.between
    if not version:
        return None
    decision, evidence = compared.decisions[version], compared.served[version].evidence
    run = evidence.statement.run if evidence else None
    return {"version": version, "against": decision.against, "outcome": decision.outcome, "run": run}


def _unruled(compared: Compared) -> str:
    """Why no ruling of the gate stands beside the dots; empty where one does."""
    a, b = compared.found.a.version, compared.found.b.version
    if compared.between:
        return ""
    if not a or not b or a == b:
        return "A gate holds two versions against each other, and here aren’t two: it ruled nothing between the sides."
    version = compared.served.get(b)
    if version is None or version.evidence is None:
        return f"No worker has told what version {b} was promoted with, so no ruling stands beside the dots."
    if not version.evidence.statement.run:
        return f"Version {b} was forced: no gate held it against version {a}."
    if b not in compared.decisions:
        return f"What the gate ruled of version {b} can’t stand beside the dots. {NOT_TOLD}"
    against = compared.decisions[b].against
    if against is None:
        return f"Version {b} was the first champion: floors alone decided, and nothing was claimed against version {a}."
    held = f"version {against}" if against else "a version from files"
    return f"The gate held version {b} against {held}, not against version {a}: its rulings are below."


class Gate(NamedTuple):
    """What stands behind one side's version."""

    version: str
    why: str  # why nothing does; else empty
    statement: Statement | None
    ungated: bool
    record: str
    decided: Decided | None


def _gate(side: Side, compared: Compared, use: Services) -> Gate:
    version = compared.served.get(side.version)
    if not side.version:
        return Gate(
            "", "Every version of the period is in it, so no one decision speaks for it.", None, False, "", None
        )
    if version is None or version.evidence is None:
        why = "No worker has told what it was promoted with."
        return Gate(side.version, why, None, False, "", None)
    evidence = version.evidence
    run = run_link(evidence.statement.run, use.settings.mlflow_public_url)
    decided = shown(evidence, compared.decisions.get(side.version), run, compared.title)
    return Gate(side.version, "", evidence.statement, evidence.is_ungated, evidence.record, decided)


def _dots(compared: Compared) -> str:
    decision = compared.decisions.get(compared.between)
    rows = [
        DotRow(
            compared.title(one.guideline),
            (
                Point(one.a.per_words, Mark.BEFORE, "A"),
                Point(one.b.per_words, MARKS.get(one.direction, Mark.AFTER), "B"),
            ),
            _notes(decision, one.guideline),
        )
        for one in compared.found.guidelines
    ]
    title = "Findings in 1,000 words by guideline: A and B, with 95 % intervals"
    return charts.dots(rows, id="dots", title=title, unit="findings in 1,000 words")


def _notes(decision: GateDecision | None, guideline: str) -> tuple[Note, ...]:
    ruled = decision.on(guideline) if decision else None
    return tuple(Note(*line) for line in lines_of(ruled)) if ruled else ()


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
