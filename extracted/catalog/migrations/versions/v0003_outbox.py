"""Events that wait to be passed on."""

import sqlalchemy as sa
from alembic import op

from extracted.chassis.columns import JsonText, RowId, UtcInstant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "strangler_outbox",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("uid", sa.String(36), nullable=False, unique=True),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("data", JsonText, nullable=False),
        sa.Column("at", UtcInstant, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("strangler_outbox")
