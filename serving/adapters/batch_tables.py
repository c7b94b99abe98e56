"""The table of batches; their jobs name them."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from serving.adapters.tables import UtcDateTime, metadata

batches = Table(
    "batches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("total", Integer, nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("idempotency_key", String(200)),  # null: none was given
    Column("request_hash", String(64), nullable=False),
    Column("callback_url", Text, nullable=False, server_default=""),
    UniqueConstraint("user_id", "idempotency_key"),
    Index("ix_batches_user_submitted", "user_id", "submitted_at", "id"),  # a page of somebody's batches
)
