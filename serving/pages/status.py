"""`/status`: whether articles are checked now, and how it went in the last day."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from serving.api.services import Services
from serving.day import DAY, ENDINGS, DayFigures, day_figures
from serving.dependencies import Standing
from serving.job import JobStatus
from serving.pages import charts, wording
from serving.pages.charts import Mark
from serving.pages.layout import PageRoute, drawn, page
from serving.pages.tables import Column, Row, Table, number
from serving.pages.visitor import Anybody, Use
from serving.ports.control import DRAIN, Switch
from serving.ports.jobs import Backlog
from serving.ports.versions import ServedVersion

COMPONENTS = {
    "database": "Jobs and results",
    "worker": "Checking of articles",
    "blobs": "Keeping of articles",
    "redis": "Fast answers",
}
ENDED_AS = {
    JobStatus.COMPLETED: "Checked whole",
    JobStatus.PARTIAL: "Checked in part",
    JobStatus.FAILED: "Failed",
    JobStatus.CANCELLED: "Cancelled",
}

router = APIRouter(include_in_schema=False, route_class=PageRoute)


class Now:
    """Everything the page tells. What the database would know is None while that is down."""

    def __init__(
        self,
        components: tuple[Standing, ...],
        champion: ServedVersion | None,
        drain: Switch | None,
        backlog: Backlog | None,
        day: DayFigures | None,
    ) -> None:
        self.components = components
        self.champion = champion
        self.drain = drain
        self.backlog = backlog
        self.day = day

    @property
    def state(self) -> str:
        """ok, draining, degraded or down."""
        if any(not one.up and one.needed for one in self.components):
            return "down"
        if self.drain is not None:
            return "draining"
        return "degraded" if any(not one.up for one in self.components) else "ok"


@router.get("/status")
async def status_page(use: Use, caller: Anybody) -> Response:
    now = await _now(use)
    return page(
        "status.html",
        caller,
        here="/status",
        now=now,
        at=use.clock(),
        names=COMPONENTS,
        ended=_ended_table(now.day),
        hours=_hour_table(now.day),
        chart=drawn(_chart(now.day)),
    )


@router.get("/status.json")
async def status_json(use: Use) -> Response:
    now = await _now(use)
    body: dict[str, Any] = {
        "state": now.state,
        "components": {one.name: {"up": one.up, "needed": one.needed} for one in now.components},
        "version": now.champion.stamp.number if now.champion else None,
        "evidence": now.champion.stamp.evidence if now.champion else None,
        "accepting": now.drain is None,
    }
    if now.backlog is not None:
        waiting = now.backlog.oldest_waiting_seconds
        body["queue"] = {
            "waiting": now.backlog.waiting,
            "stranded": now.backlog.stranded,
            "running": now.backlog.running,
            "oldest_seconds": waiting,
        }
    if now.day is not None:
        body["day"] = {
            "jobs": now.day.jobs,
            "ended": {status.value: count for status, count in now.day.ended.items()},
            "wait_seconds": now.day.wait,
            "turnaround_seconds": now.day.turnaround,
            "turnaround_seconds_p95": now.day.turnaround_p95,
            "hours": _hour_table(now.day).records(),
        }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def _now(use: Services) -> Now:
    components = await use.dependencies.standing()
    if any(one.name == "database" and not one.up for one in components):
        return Now(components, None, None, None, None)
    moment = use.clock()
    return Now(
        components,
        await use.versions.champion(),
        await use.switches.get(DRAIN),
        await use.backlogs.read(moment),
        day_figures(await use.runs.ended(moment - DAY), moment),
    )


def _ended_table(day: DayFigures | None) -> Table:
    columns = (Column("ended", "How they ended"), number("jobs", "Articles"), number("part", "Share", wording.percent))
    rows: tuple[Row, ...] = tuple(
        {
            "ended": ENDED_AS[status],
            "jobs": day.ended[status],
            "part": day.ended[status] / day.jobs if day.jobs else None,
        }
        for status in ENDINGS
        if day
    )
    return Table("ended", "Articles submitted in the last 24 hours whose check has ended", columns, rows)


def _hour_table(day: DayFigures | None) -> Table:
    columns = (Column("hour", "Hour that begins (UTC)"), number("jobs", "Articles"))
    rows: tuple[Row, ...] = tuple(
        {"hour": f"{one.begins:%Y-%m-%d %H:%M}", "jobs": one.jobs} for one in (day.hours if day else ())
    )
    return Table("hours", "The same by the hour they were submitted in", columns, rows)


def _chart(day: DayFigures | None) -> str:
    hours = day.hours if day else ()
    labels = [f"{one.begins:%H:%M}" for one in hours]
    series = [("articles", Mark.AFTER, [float(one.jobs) for one in hours])]
    return charts.columns(labels, series, id="hours", title="Articles submitted, by hour", axis="hour that begins, UTC")
