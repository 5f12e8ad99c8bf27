"""The tables that every service has beside its own: answers to repeat, events to pass on."""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

from extracted.chassis.columns import UtcInstant

HOUSE = MetaData()

# The first answer to each POST that came with an Idempotency-Key.
ANSWERS = Table(
    "strangler_answer",
    HOUSE,
    Column("caller", String(40), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", String(64), nullable=False),  # what the key was used for, as a digest
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("at", UtcInstant, nullable=False),
    Index("strangler_answer_at", "at"),
)
