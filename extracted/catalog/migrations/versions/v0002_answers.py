"""First answers to requests with an Idempotency-Key."""

import sqlalchemy as sa
from alembic import op

from extracted.chassis.columns import UtcInstant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "strangler_answer",
        sa.Column("caller", sa.String(40), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column("at", UtcInstant, nullable=False),
    )
    op.create_index("strangler_answer_at", "strangler_answer", ["at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("strangler_answer")
