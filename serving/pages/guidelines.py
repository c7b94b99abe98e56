"""`/guidelines`, and one page each: the text, the versions that had it, and how it fares."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from agent.errors import CopydeskError
from agent.finding import Severity
from agent.guideline import Guideline
from serving.access.caller import Caller, Permission
from serving.api.services import Services
from serving.evidence import Figure, GuidelineEvidence
from serving.feedback import Reason
from serving.figures import GuidelineFigures, Precision, figures
from serving.pages import charts, wording
from serving.pages.charts import DotRow, Mark, Point
from serving.pages.layout import PageRoute, drawn, page
from serving.pages.links import run_link
from serving.pages.rulings import Last, decisions_of, last_on
from serving.pages.tables import Column, Linked, Table, Value, figure, number
from serving.pages.visitor import Use, Visitor
from serving.ports.versions import ServedVersion

PERIOD = timedelta(days=30)
DIGITS = 12  # of a digest
REASONS = {  # as the pane asks for them
    Reason.FALSE_ALARM: "False alarm",
    Reason.NOT_IN_THIS_CONTEXT: "Not in this context",
    Reason.STYLE_CHOICE: "A choice of style",
    Reason.QUOTATION: "It is a quotation",
    Reason.HOUSE_EXCEPTION: "The house makes an exception",
    Reason.OTHER: "Another reason",
}

router = APIRouter(include_in_schema=False, route_class=PageRoute)


class NoSuchGuideline(CopydeskError):
    """No version that was served has it."""

    type = "not-found"
    status = 404


class Held(NamedTuple):
    """A guideline as one version has it."""

    version: ServedVersion
    guideline: Guideline

    @property
    def checked_by(self) -> str:
        if self.guideline.kind != "prompt":
            return "patterns"
        return "language model" if self.version.model else "patterns, for want of a model"

    @property
    def checked_briefly(self) -> str:
        if self.guideline.kind != "prompt":
            return "patterns"
        return "model" if self.version.model else "patterns, no model"


@router.get("/guidelines")
async def guidelines_page(use: Use, caller: Visitor) -> Response:
    versions = await use.versions.all()
    champion = next((version for version in versions if version.champion), None)
    shown = sorted(champion.pack.guidelines, key=_by_category) if champion else []
    known = {guideline.id for guideline in shown}
    gone: dict[str, Guideline] = {}
    for version in versions:
        gone |= {one.id: one for one in version.pack.guidelines if one.id not in known | gone.keys()}
    number = champion.stamp.number if champion else ""
    fared = {one.guideline: one for one in await _figures(use, caller, number)}
    table = _list_table(shown, champion, fared, with_figures=_may_see(caller))
    return page(
        "guidelines.html",
        caller,
        here="/guidelines",
        champion=champion,
        table=table,
        gone=sorted(gone.values(), key=lambda one: one.id),
        days=PERIOD.days,
        may_see=_may_see(caller),
    )


@router.get("/guidelines/{id}")
async def guideline_page(id: Annotated[str, Path(max_length=64)], use: Use, caller: Visitor) -> Response:
    versions = sorted(await use.versions.all(), key=lambda version: by_number(version.stamp.number), reverse=True)
    held = [Held(version, version.pack.by_id[id]) for version in versions if id in version.pack.by_id]
    if not held:
        raise NoSuchGuideline(f"no version that was served has a guideline {id!r}: /guidelines lists those there are")
    shown = next((one for one in held if one.version.champion), held[0])
    fared = [one for one in await _figures(use, caller, "") if one.guideline == id]
    reasons = Counter[Reason]()
    for one in fared:
        reasons.update(one.dismissed)
    return page(
        "guideline.html",
        caller,
        here="/guidelines",
        shown=shown,
        guideline=shown.guideline,
        versions=_version_table(held),
        measured=_measured_table(held),
        ruled=await _ruled(use, id, versions),
        chart=drawn(_measured_chart(held)),
        fared=_fared_table(fared),
        fared_chart=drawn(_fared_chart(fared)),
        reasons=_reason_table(reasons),
        reason_chart=drawn(
            charts.bars(
                [(REASONS[reason], reasons[reason]) for reason in Reason if reasons[reason]],
                id="reasons",
                title="Dismissed findings by reason",
            )
        ),
        dismissed=reasons.total(),
        raised=sum(one.raised for one in fared),
        days=PERIOD.days,
        may_see=_may_see(caller),
    )


async def _ruled(use: Services, id: str, versions: Sequence[ServedVersion]) -> Last | None:
    decisions, mlflow = await decisions_of(use.decisions, versions), use.settings.mlflow_public_url
    told = [
        (one.evidence, decisions[one.stamp.number], run_link(one.evidence.statement.run, mlflow))
        for one in versions
        if one.evidence and (decision := decisions.get(one.stamp.number))
        # Of a first champion nothing is said guideline by guideline, so not of those that came later either.
        if decision.against is not None or id in one.pack.by_id
    ]
    return last_on(id, told, str)


async def _figures(use: Services, caller: Caller, version: str) -> list[GuidelineFigures]:
    """None for who may not see figures over everybody's articles."""
    if not _may_see(caller):
        return []
    return figures(await use.figures.counts(use.clock() - PERIOD, version))


def _may_see(caller: Caller) -> bool:
    return Permission.FIGURES in caller.permissions


def _by_category(one: Guideline) -> tuple[str, int, str]:
    """The gravest first, as in the pane."""
    return (one.category, -list(Severity).index(one.severity), one.title)


def _list_table(
    shown: Sequence[Guideline],
    champion: ServedVersion | None,
    fared: dict[str, GuidelineFigures],
    *,
    with_figures: bool,
) -> Table:
    measured = evidence_of(champion)
    columns = [
        Column("guideline", "Guideline"),
        Column("category", "Category"),
        Column("severity", "Severity"),
        Column("kind", "Checked by"),
        figure("recall", "Found of what is there", wording.percent_interval),
        figure("precision", "Right of what it raised", wording.percent_interval),
    ]
    if with_figures:
        columns += [
            number("raised", "Raised"),
            number("accepted", "Accepted"),
            number("dismissed", "Dismissed"),
            figure("with_editors", "Right by editors", wording.percent_interval),
        ]
    rows = []
    for one in shown:
        row: dict[str, Value] = {
            "guideline": Linked(one.title, guideline_path(one.id)),
            "category": one.category,
            "severity": str(one.severity),
            "kind": Held(champion, one).checked_briefly if champion else None,
            "recall": measured[one.id].recall if one.id in measured else None,
            "precision": measured[one.id].precision if one.id in measured else None,
        }
        if with_figures:
            row |= _fared(fared.get(one.id))
        rows.append(row)
    return Table(
        "guidelines",
        "Guidelines of the version that serves, by category, the gravest first",
        tuple(columns),
        tuple(rows),
    )


def _fared(found: GuidelineFigures | None) -> dict[str, Value]:
    if found is None:
        return {"raised": 0, "accepted": 0, "dismissed": 0, "with_editors": None}
    return {
        "raised": found.raised,
        "accepted": found.accepted,
        "dismissed": sum(found.dismissed.values()),
        "with_editors": as_figure(found.precision),
    }


def _version_table(held: Sequence[Held]) -> Table:
    columns = (
        Column("version", "Version"),
        Column("champion", "Serves"),
        Column("digest", "Digest of its text and rules"),
        Column("severity", "Severity"),
        Column("kind", "Checked by"),
        Column("heard", "A worker last had it", moment=True),
    )
    rows = tuple(
        {
            "version": one.version.stamp.number,
            "champion": "now" if one.version.champion else "no longer",
            "digest": one.guideline.digest[:DIGITS],
            "severity": str(one.guideline.severity),
            "kind": one.checked_by,
            "heard": wording.when(one.version.served),
        }
        for one in held
    )
    return Table("versions", "Versions that served it, the latest first", columns, rows)


def _measured_table(held: Sequence[Held]) -> Table:
    columns = (
        Column("version", "Version"),
        Column("set", "Labelled articles"),
        number("labelled", "Labelled violations"),
        figure("recall", "Found of what is there (recall)", wording.percent_interval),
        figure("precision", "Right of what it raised (precision)", wording.percent_interval),
        figure("false_alarms", "False alarms per 1,000 words"),
    )
    rows = tuple(
        {
            "version": one.version.stamp.number,
            "set": one.version.evidence.statement.labelled_set if one.version.evidence else None,
            "labelled": found.labelled,
            "recall": found.recall,
            "precision": found.precision,
            "false_alarms": found.false_alarms,
        }
        for one in held
        if (found := evidence_of(one.version).get(one.guideline.id))
    )
    return Table("measured", "Measured before promotion, with 95 % intervals", columns, rows)


def _measured_chart(held: Sequence[Held]) -> str:
    rows = [
        DotRow(
            f"Version {one.version.stamp.number}",
            (
                Point(_hundredfold(found.recall), Mark.BEFORE, "recall"),
                Point(_hundredfold(found.precision), Mark.AFTER, "precision"),
            ),
        )
        for one in held
        if (found := evidence_of(one.version).get(one.guideline.id))
    ]
    title = "Recall and precision by version, with 95 % intervals"
    return charts.dots(rows, id="measured", title=title, unit="per cent", most=100)


def _fared_table(fared: Sequence[GuidelineFigures]) -> Table:
    columns = (
        Column("version", "Version"),
        number("raised", "Raised"),
        number("accepted", "Accepted"),
        number("dismissed", "Dismissed"),
        number("undecided", "Undecided"),
        number("pending", "Awaits approval"),
        number("declined", "Dismissal declined"),
        figure("with_editors", "Right by editors", wording.percent_interval),
    )
    rows = tuple(
        {
            "version": one.version,
            "undecided": one.undecided,
            "pending": one.pending,
            "declined": one.declined,
            **_fared(one),
        }
        for one in fared
    )
    return Table("fared", "What editors made of its findings, by version", columns, rows)


def _fared_chart(fared: Sequence[GuidelineFigures]) -> str:
    each = {
        "Accepted": sum(one.accepted for one in fared),
        "Dismissed": sum(sum(one.dismissed.values()) for one in fared),
        "Undecided": sum(one.undecided for one in fared),
    }
    return charts.bars(list(each.items()), id="fared", title="What editors made of its findings")


def _reason_table(reasons: Counter[Reason]) -> Table:
    total = reasons.total()
    columns = (Column("reason", "Reason"), number("findings", "Dismissed"), number("part", "Share", wording.percent))
    rows = tuple(
        {"reason": REASONS[reason], "findings": reasons[reason], "part": reasons[reason] / total if total else None}
        for reason in Reason
    )
    return Table("reasons", "Why findings were dismissed", columns, rows)


def evidence_of(version: ServedVersion | None) -> dict[str, GuidelineEvidence]:
    """By guideline."""
    return {one.guideline: one for one in version.evidence.figures} if version and version.evidence else {}


def guideline_path(id: str) -> str:
    return f"/guidelines/{quote(id, safe='')}"


def by_number(version: str) -> tuple[int, str]:
    """Where a version stands among others; one from files comes first."""
    return (int(version) if version.isdecimal() else -1, version)


def as_figure(found: Precision | None) -> Figure | None:
    return Figure(value=found.value, low=found.low, high=found.high) if found else None


def _hundredfold(found: Figure) -> Figure:
    value, low, high = (None if one is None else 100 * one for one in (found.value, found.low, found.high))
    return Figure(value=value, low=low, high=high)
