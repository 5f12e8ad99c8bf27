"""The catalog over HTTP: everybody reads, staff writes products, customers write reviews."""

from collections.abc import Iterator
from typing import Any

from extracted.catalog.forms import CATEGORY, PRODUCT, PRODUCT_ITEM, REVIEW
from extracted.catalog.store import Categories, Products, Reviews
from extracted.chassis.identity import Identity
from extracted.chassis.resource import Call, Resource
from extracted.chassis.rest import Collection, Entity, Item
from extracted.chassis.writing import Shelf


def staff_writes(call: Call) -> bool:
    """Whether the caller may use the method where everybody reads and staff writes."""
    return call.safe or call.identity.staff


def somebody_writes(call: Call) -> bool:
    """Whether the caller may use the method where everybody reads and whoever is signed in writes."""
    return call.safe or call.identity.authenticated


def author_or_staff(identity: Identity, row: Any) -> bool:
    """Whether the caller may change an entry that has an author."""
    return identity.staff or (row.author_id is not None and row.author_id == identity.user_id)


ENTITIES = {
    "/api/categories/": Entity(
        title="Category",
        description="Categories, each with the number of products on sale in it.",
        table=Categories(),
        item=CATEGORY,
        listed=CATEGORY,
        permits=staff_writes,
    ),
    "/api/products/": Entity(
        title="Product",
        description="Products: readers see those on sale, staff also writes the others.",
        table=Products(),
        item=PRODUCT,
        listed=PRODUCT_ITEM,
        permits=staff_writes,
    ),
    "/api/reviews/": Entity(
        title="Review",
        description="Reviews: one a product and author, changed by that author or by staff.",
        table=Reviews(),
        item=REVIEW,
        listed=REVIEW,
        permits=somebody_writes,
        may_change=author_or_staff,
    ),
}


def resources(shelf: Shelf) -> Iterator[tuple[str, Resource]]:
    """Yield every path of the catalog's API with the resource that answers it."""
    for path, entity in ENTITIES.items():
        yield path, Collection(entity, shelf)
        yield f"{path}<key:key>/", Item(entity, shelf)
