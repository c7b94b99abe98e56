"""The table of calls to clients' own addresses."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from serving.adapters.tables import UtcDateTime, metadata

callbacks = Table(
    "callbacks",  # one row a job or batch
    metadata,
    Column("message", String(32), primary_key=True),  # another one when a job that was given up ends again
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), unique=True),
    Column("batch_id", ForeignKey("batches.id", ondelete="CASCADE"), unique=True),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime),  # null: it was answered or given up
    Column("reason", Text, nullable=False),  # of the last failure
    Index("ix_callbacks_due", "due_at"),
)
