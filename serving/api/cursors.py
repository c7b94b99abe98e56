"""Cursors of lists: where the next page begins, opaque to clients."""

import base64
import binascii
from datetime import UTC, datetime

from serving.errors import BadRequest
from serving.ports.jobs import Cursor

MOST_DIGITS = 9  # of a place that a database can count


def dump_cursor(at: datetime, id: str) -> str:
    text = f"{at.astimezone(UTC).isoformat()} {id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def dump_number(number: int) -> str:
    return str(number)


def load_number(cursor: str) -> int:
    """0 for the first page; raises BadRequest."""
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= MOST_DIGITS):
        raise _not_ours(cursor)
    return int(cursor or 0)


def load_cursor(cursor: str) -> Cursor | None:
    """None for the first page; raises BadRequest."""
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, _, id = text.partition(" ")
        return Cursor(datetime.fromisoformat(at).astimezone(UTC), id.replace("\0", ""))
    except (binascii.Error, ValueError, OverflowError) as error:
        raise _not_ours(cursor) from error


def _not_ours(cursor: str) -> BadRequest:
    return BadRequest(f"cursor {cursor[:80]!r} is none of ours: begin without one, and go on with `next`")
