"""The five tables, column for column as the monolith has them."""

import sqlalchemy as sa
from alembic import op

from extracted.chassis.columns import ExactDecimal, JsonText, RowId, UtcInstant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the five tables."""
    _create_category()
    _create_product()
    _create_product_image()
    _create_related_product()
    _create_review()


def downgrade() -> None:
    """Drop the five tables."""
    for name in ("review", "relatedproduct", "productimage", "product", "category"):
        op.drop_table(f"catalog_{name}")


def _create(name: str, *parts: sa.schema.SchemaItem, indexed: tuple[str, ...] = ()) -> None:
    key = sa.Column("id", RowId, primary_key=True)
    op.create_table(name, key, *parts, sqlite_autoincrement=True)
    for column in indexed:
        op.create_index(f"ix_{name}_{column}", name, [column])


def _reference(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{target}.id", deferrable=True, initially="DEFERRED")
    return sa.Column(name, RowId, key, nullable=nullable)


def _not_negative(table: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} >= 0", name=f"{table}_{column}_check")


def _create_category() -> None:
    _create(
        "catalog_category",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("slug", sa.String(140), nullable=False, unique=True),
        _reference("parent_id", "catalog_category", nullable=True),
        sa.Column("position", sa.Integer, nullable=False),
        _not_negative("catalog_category", "position"),
        indexed=("parent_id",),
    )


def _create_product() -> None:
    _create(
        "catalog_product",
        sa.Column("sku", sa.String(40), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("slug", sa.String(220), nullable=False, unique=True),
        sa.Column("description", sa.Text, nullable=False),
        _reference("category_id", "catalog_category"),
        sa.Column("price", ExactDecimal(10, 2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("weight_kg", ExactDecimal(8, 3), nullable=True),
        sa.Column("attributes", JsonText, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("released_on", sa.Date, nullable=True),
        sa.Column("rating_average", ExactDecimal(3, 2), nullable=True),
        sa.Column("rating_count", sa.Integer, nullable=False),
        sa.Column("created_at", UtcInstant, nullable=False),
        sa.Column("updated_at", UtcInstant, nullable=False),
        _not_negative("catalog_product", "rating_count"),
        indexed=("category_id",),
    )
    newest = [sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index("catalog_product_newest", "catalog_product", newest)
    op.create_index("catalog_product_by_price", "catalog_product", ["price", "id"])
    op.create_index("catalog_product_by_name", "catalog_product", ["name", "id"])


def _create_product_image() -> None:
    _create(
        "catalog_productimage",
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("alt", sa.String(200), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        _reference("product_id", "catalog_product"),
        _not_negative("catalog_productimage", "position"),
        indexed=("product_id",),
    )


def _create_related_product() -> None:
    _create(
        "catalog_relatedproduct",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        _reference("from_product_id", "catalog_product"),
        _reference("to_product_id", "catalog_product"),
        _not_negative("catalog_relatedproduct", "position"),
        sa.UniqueConstraint("from_product_id", "to_product_id", name="catalog_relatedproduct_once"),
        indexed=("from_product_id", "to_product_id"),
    )


def _create_review() -> None:
    _create(
        "catalog_review",
        sa.Column("author_name", sa.String(150), nullable=False),
        sa.Column("rating", sa.SmallInteger, nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", UtcInstant, nullable=False),
        sa.Column("updated_at", UtcInstant, nullable=False),
        # The monolith's user: an id in another database, no foreign key.
        sa.Column("author_id", RowId, nullable=True),
        _reference("product_id", "catalog_product"),
        _not_negative("catalog_review", "rating"),
        sa.UniqueConstraint("product_id", "author_id", name="catalog_review_once"),
        indexed=("product_id", "author_id"),
    )
