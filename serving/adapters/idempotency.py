"""What an idempotency key stands for, in whichever table: the same request, or a mistake."""

from sqlalchemy import RowMapping, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import IdempotencyConflict


async def row_of_key(
    connection: AsyncConnection, table: Table, user: str, key: str, request_hash: str
) -> RowMapping | None:
    """Raises IdempotencyConflict."""
    query = select(table).where(table.c.user_id == user, table.c.idempotency_key == key)
    row = (await connection.execute(query)).mappings().first()
    if row is not None:
        same_request(row["request_hash"], request_hash, key=key)
    return row


def same_request(known_hash: str, request_hash: str, *, key: str) -> None:
    """Raises IdempotencyConflict."""
    if known_hash != request_hash:
        raise IdempotencyConflict(
            f"Idempotency-Key {key!r} was used for another article or other options: send this one with a new key"
        )
