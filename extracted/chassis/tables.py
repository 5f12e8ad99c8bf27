"""The tables that every service has beside its own: answers to repeat, events to pass on."""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

from extracted.chassis.columns import JsonText, RowId, UtcInstant

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

# Events that were not passed on yet, in the order they were written.
OUTBOX = Table(
    "strangler_outbox",
    HOUSE,
    Column("id", RowId, primary_key=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("type", String(100), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("data", JsonText, nullable=False),
    Column("at", UtcInstant, nullable=False),
    sqlite_autoincrement=True,
)
