"""The tables of sign-in and of who did what."""

from sqlalchemy import Column, Index, String, Table, Text

from serving.adapters.tables import UtcDateTime, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),  # SHA-256 of the secret, in hex
    Column("user_id", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("scopes", String(200), nullable=False),  # separated by spaces
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("used_at", UtcDateTime),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("user_id", String(200), nullable=False),
    Column("via", String(50), nullable=False),
    Column("action", String(50), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_at", "at", "id"),
)

switches = Table(
    "switches",  # what an administrator has switched for all processes
    metadata,
    Column("name", String(50), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("user_id", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
