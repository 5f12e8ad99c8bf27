"""The catalog's five tables, column for column as the monolith has them.

Foreign keys are deferred and cascade nothing, as Django makes them: rows copied from the monolith may arrive
in any order within a transaction, and replacing one never takes others with it.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    ScalarSelect,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, query_expression, relationship

from extracted.chassis.columns import ExactDecimal, JsonText, RowId, UtcInstant


class Base(DeclarativeBase):
    """The declarative base of the catalog's tables."""


def _refers_to(column: str) -> ForeignKey:
    return ForeignKey(column, deferrable=True, initially="DEFERRED")


class Category(Base):
    """A shelf of the shop; shelves nest."""

    __tablename__ = "catalog_category"
    __table_args__ = (
        CheckConstraint("position >= 0", name="catalog_category_position_check"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(140), unique=True)
    parent_id: Mapped[int | None] = mapped_column(_refers_to("catalog_category.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)

    # Only a query that says how (`sale_count`) gives it: a product's own category needs no count.
    product_count: Mapped[int] = query_expression()


class Product(Base):
    """Something for sale."""

    __tablename__ = "catalog_product"
    __table_args__ = (
        CheckConstraint("rating_count >= 0", name="catalog_product_rating_count_check"),
        Index("catalog_product_by_price", "price", "id"),
        Index("catalog_product_by_name", "name", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    sku: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(220), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    category_id: Mapped[int] = mapped_column(_refers_to("catalog_category.id"), index=True)
    price: Mapped[Decimal] = mapped_column(ExactDecimal(10, 2))
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    weight_kg: Mapped[Decimal | None] = mapped_column(ExactDecimal(8, 3))
    attributes: Mapped[Any] = mapped_column(JsonText, default=dict)
    is_active: Mapped[bool] = mapped_column(default=True)
    released_on: Mapped[date | None]
    rating_average: Mapped[Decimal | None] = mapped_column(ExactDecimal(3, 2))
    rating_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    updated_at: Mapped[datetime] = mapped_column(UtcInstant)

    category: Mapped[Category] = relationship()
    images: Mapped[list["ProductImage"]] = relationship(
        order_by="ProductImage.position, ProductImage.id", viewonly=True
    )
    related: Mapped[list["RelatedProduct"]] = relationship(
        foreign_keys="RelatedProduct.from_product_id",
        order_by="RelatedProduct.position, RelatedProduct.id",
        viewonly=True,
    )

    @property
    def image(self) -> str | None:
        """The address of the picture that lists show."""
        return self.images[0].url if self.images else None


def sale_count() -> ScalarSelect[int]:
    """Count the products on sale in the category of the query around it."""
    on_sale = select(func.count()).where(Product.category_id == Category.id, Product.is_active.is_(True))
    return on_sale.correlate(Category).scalar_subquery()


Index("catalog_product_newest", Product.created_at.desc(), Product.id.desc())


class ProductImage(Base):
    """A picture of a product, by address."""

    __tablename__ = "catalog_productimage"
    __table_args__ = (
        CheckConstraint("position >= 0", name="catalog_productimage_position_check"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    alt: Mapped[str] = mapped_column(String(200), default="")
    position: Mapped[int] = mapped_column(default=0)
    product_id: Mapped[int] = mapped_column(_refers_to("catalog_product.id"), index=True)


class RelatedProduct(Base):
    """That one product is shown beside another, and why."""

    __tablename__ = "catalog_relatedproduct"
    __table_args__ = (
        CheckConstraint("position >= 0", name="catalog_relatedproduct_position_check"),
        UniqueConstraint("from_product_id", "to_product_id", name="catalog_relatedproduct_once"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    position: Mapped[int] = mapped_column(default=0)
    from_product_id: Mapped[int] = mapped_column(_refers_to("catalog_product.id"), index=True)
    to_product_id: Mapped[int] = mapped_column(_refers_to("catalog_product.id"), index=True)

    to_product: Mapped[Product] = relationship(foreign_keys=[to_product_id], viewonly=True)


class Review(Base):
    """What one customer says of one product. The author is the monolith's user: an id, not a foreign key."""

    __tablename__ = "catalog_review"
    __table_args__ = (
        CheckConstraint("rating >= 0", name="catalog_review_rating_check"),
        UniqueConstraint("product_id", "author_id", name="catalog_review_once"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    author_name: Mapped[str] = mapped_column(String(150))
    rating: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    updated_at: Mapped[datetime] = mapped_column(UtcInstant)
    author_id: Mapped[int | None] = mapped_column(RowId, index=True)
    product_id: Mapped[int] = mapped_column(_refers_to("catalog_product.id"), index=True)
