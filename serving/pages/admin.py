"""`/admin`: keys, jobs that were given up, the drain and the audit, with the command beside each. It changes nothing:
a form that does would need a defence against other sites' pages, and the audited way is the API's."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from serving.access.api_keys import ApiKey
from serving.access.audit import AuditEntry
from serving.api.cursors import dump_cursor, load_cursor
from serving.job import Job
from serving.pages import wording
from serving.pages.layout import PageRoute, page
from serving.pages.tables import Column, Row, Table, number
from serving.pages.visitor import Use, Visitor
from serving.ports.control import DRAIN

MOST_DEAD = 50
ENTRIES = 25  # of the audit on one page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/admin")
async def admin_page(
    request: Request, use: Use, caller: Visitor, cursor: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    now, address = use.clock(), str(request.base_url).rstrip("/")
    dead = await use.jobs.dead(None, MOST_DEAD + 1)
    entries = await use.audit.page(load_cursor(cursor), ENTRIES + 1)
    following = dump_cursor(entries[ENTRIES - 1].at, entries[ENTRIES - 1].id) if len(entries) > ENTRIES else ""
    return page(
        "admin.html",
        caller,
        here="/admin",
        keys=_key_table(await use.keys.all(), now),
        dead=_dead_table(dead[:MOST_DEAD], address),
        more_dead=len(dead) > MOST_DEAD,
        backlog=await use.backlogs.read(now),
        drain=await use.switches.get(DRAIN),
        begin_drain=_curl("PUT", f"{address}/api/v1/admin/drain", """ -d '{"reason": "WHY"}'"""),
        end_drain=_curl("DELETE", f"{address}/api/v1/admin/drain"),
        audit=_audit_table(entries[:ENTRIES]),
        following=following,
        first=not cursor,
    )


def _key_table(keys: list[ApiKey], now: datetime) -> Table:
    columns = (
        Column("id", "Key"),
        Column("name", "Name"),
        Column("user", "Asks for"),
        Column("scopes", "May"),
        Column("state", "State"),
        Column("expires", "Expires", moment=True),
        Column("used", "Last used", moment=True),
        Column("by", "Made by"),
        Column("made", "Made", moment=True),
        Column("command", "To revoke it", code=True),
    )
    rows = tuple(
        {
            "id": key.id,
            "name": key.name,
            "user": key.user,
            "scopes": ", ".join(sorted(key.scopes)),
            "state": key.state(now),
            "expires": wording.when(key.expires) if key.expires else "never",
            "used": wording.when(key.used) if key.used else "never",
            "by": key.created_by,
            "made": wording.when(key.created),
            "command": f"copydesk keys revoke {key.id}" if key.state(now) == "good" else None,
        }
        for key in keys
    )
    return Table("keys", "API keys, the latest first", columns, rows)


def _dead_table(jobs: list[Job], address: str) -> Table:
    columns = (
        Column("job", "Job", wording.short_id),
        Column("user", "User"),
        Column("channel", "Channel"),
        Column("document", "Document"),
        Column("version", "Version"),
        number("attempts", "Attempts"),
        Column("submitted", "Submitted", moment=True),
        Column("reason", "Why it was given up", prose=True),
        Column("command", "To queue it again", code=True),
    )
    rows: tuple[Row, ...] = tuple(
        {
            "job": job.id,
            "user": job.request.user,
            "channel": job.request.channel,
            "document": job.request.document_id,
            "version": job.version,
            "attempts": job.attempt - job.attempts_from,
            "submitted": wording.when(job.submitted),
            "reason": job.reason,
            "command": _curl("POST", f"{address}/api/v1/admin/jobs/{job.id}/requeue"),
        }
        for job in jobs
    )
    return Table("dead", "Jobs that were given up, the latest first", columns, rows)


def _audit_table(entries: list[AuditEntry]) -> Table:
    columns = (
        Column("at", "When", moment=True),
        Column("user", "Who"),
        Column("via", "Signed in by"),
        Column("action", "What"),
        Column("subject", "Of which"),
        Column("detail", "Detail", prose=True),
    )
    rows = tuple(
        {
            "at": wording.when(one.at),
            "user": one.user,
            "via": one.via,
            "action": one.action,
            "subject": one.subject,
            "detail": one.detail,
        }
        for one in entries
    )
    return Table("audit", "Who did what, the latest first", columns, rows)


def _curl(method: str, url: str, rest: str = "") -> str:
    content = " -H 'Content-Type: application/json'" if rest else ""
    return f'curl -X {method} {url} -H "Authorization: Bearer $COPYDESK_KEY"{content}{rest}'
