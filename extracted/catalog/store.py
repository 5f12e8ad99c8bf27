"""What is particular about each table of the catalog: its joins, filters, defaults and what depends on it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload, with_expression

from extracted.catalog.models import Category, Product, ProductImage, RelatedProduct, Review, sale_count
from extracted.chassis.errors import StillReferredTo, ValidationError
from extracted.chassis.events.outbox import tell
from extracted.chassis.filters import DayFilter, Filter, NumberFilter, RowFilter, TextFilter
from extracted.chassis.identity import Identity
from extracted.chassis.table import Condition, Table, key_exists

ALREADY_REVIEWED = {"non_field_errors": ["You have already reviewed this product."]}


class Categories(Table[Category]):
    """Categories, each with the number of products on sale in it."""

    model = Category
    searched = (Category.name,)
    default_order = ("position", "id")
    references = {"parent": Category.id}

    def listed(self) -> Select[Category]:
        return select(Category).options(with_expression(Category.product_count, sale_count()))

    def filters(self, session: Session) -> Mapping[str, Filter]:
        return {"parent": RowFilter(lambda key: key_exists(session, Category.id, key))}

    def narrowed(self, cleaned: Mapping[str, Any]) -> Iterator[Condition]:
        if "parent" in cleaned:
            yield Category.parent_id == cleaned["parent"]

    def create(
        self, session: Session, values: Mapping[str, Any], author: Identity, now: datetime
    ) -> Category:
        row = Category(**values)
        session.add(row)
        self._flush(session, row)
        return row

    def update(self, session: Session, row: Category, values: Mapping[str, Any], now: datetime) -> None:
        _assign(row, values)
        self._flush(session, row)

    def delete(self, session: Session, row: Category, now: datetime) -> None:
        children = key_exists(session, Category.parent_id, row.id)
        if children or key_exists(session, Product.category_id, row.id):
            raise StillReferredTo
        session.delete(row)

    def _flush(self, session: Session, row: Category) -> None:
        """Write, and read back: the answer shows a count that only the query computes."""
        session.flush()
        again = self.detailed().where(Category.id == row.id).execution_options(populate_existing=True)
        session.scalar(again)


class Products(Table[Product]):
    """Products: readers see those on sale, staff also writes the others."""

    model = Product
    searched = (Product.name, Product.sku, Product.description)
    orderable = ("price", "name", "created_at")
    default_order = ("-created_at", "-id")
    references = {"category_id": Category.id}

    def listed(self) -> Select[Product]:
        return select(Product).options(joinedload(Product.category), selectinload(Product.images))

    def detailed(self) -> Select[Product]:
        return self.listed().options(selectinload(Product.related).joinedload(RelatedProduct.to_product))

    def readable(self) -> Condition:
        return Product.is_active.is_(True)

    def filters(self, session: Session) -> Mapping[str, Filter]:
        return {
            "category": TextFilter(),
            "price_min": NumberFilter(digits=10, places=2),
            "price_max": NumberFilter(digits=10, places=2),
            "rating_min": NumberFilter(digits=3, places=2),
            "released_after": DayFilter(),
        }

    def narrowed(self, cleaned: Mapping[str, Any]) -> Iterator[Condition]:
        asked: dict[str, Callable[[Any], Condition]] = {
            "category": lambda slug: Product.category_id.in_(
                select(Category.id).where(Category.slug == slug)
            ),
            "price_min": Product.price.__ge__,
            "price_max": Product.price.__le__,
            "rating_min": Product.rating_average.__ge__,
            "released_after": Product.released_on.__ge__,
        }
        yield from (asked[name](value) for name, value in cleaned.items())

    def create(self, session: Session, values: Mapping[str, Any], author: Identity, now: datetime) -> Product:
        row = Product(**values, created_at=now, updated_at=now)
        session.add(row)
        session.flush()
        tell(session, "catalog.product.created", f"products/{row.id}", {"id": row.id, "sku": row.sku}, now)
        return row

    def update(self, session: Session, row: Product, values: Mapping[str, Any], now: datetime) -> None:
        _assign(row, values)
        row.updated_at = now
        session.flush()
        session.expire(row, ["category"])

    def delete(self, session: Session, row: Product, now: datetime) -> None:
        session.execute(delete(ProductImage).where(ProductImage.product_id == row.id))
        session.execute(delete(Review).where(Review.product_id == row.id))
        either_end = or_(RelatedProduct.from_product_id == row.id, RelatedProduct.to_product_id == row.id)
        session.execute(delete(RelatedProduct).where(either_end))
        session.delete(row)
        tell(session, "catalog.product.deleted", f"products/{row.id}", {"id": row.id, "sku": row.sku}, now)


class Reviews(Table[Review]):
    """Reviews: one a product and author."""

    model = Review
    orderable = ("created_at", "rating")
    default_order = ("-created_at", "-id")
    references = {"product": Product.id}

    def filters(self, session: Session) -> Mapping[str, Filter]:
        return {
            "product": RowFilter(lambda key: key_exists(session, Product.id, key)),
            "rating": NumberFilter(digits=3, places=0),
        }

    def narrowed(self, cleaned: Mapping[str, Any]) -> Iterator[Condition]:
        if "product" in cleaned:
            yield Review.product_id == cleaned["product"]
        if "rating" in cleaned:
            yield Review.rating == int(cleaned["rating"])

    def create(self, session: Session, values: Mapping[str, Any], author: Identity, now: datetime) -> Review:
        row = Review(
            **values, author_id=author.user_id, author_name=author.name, created_at=now, updated_at=now
        )
        self._refuse_second(session, row)
        session.add(row)
        session.flush()
        return row

    def update(self, session: Session, row: Review, values: Mapping[str, Any], now: datetime) -> None:
        with session.no_autoflush:
            _assign(row, values)
            self._refuse_second(session, row)
        row.updated_at = now
        session.flush()

    def delete(self, session: Session, row: Review, now: datetime) -> None:
        session.delete(row)

    def _refuse_second(self, session: Session, row: Review) -> None:
        same = select(Review.id).where(
            Review.product_id == row.product_id, Review.author_id == row.author_id, Review.id != (row.id or 0)
        )
        if row.author_id is not None and session.scalar(same.limit(1)) is not None:
            raise ValidationError(ALREADY_REVIEWED)


def _assign(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
