"""The catalog's JSON, field by field: what clients read, and what they may write."""

from collections.abc import Mapping
from decimal import Decimal

from extracted.chassis.fields import Field, Many, Nested
from extracted.chassis.values import (
    Boolean,
    Char,
    Choice,
    Day,
    Exact,
    Instant,
    JsonValue,
    Reference,
    Slug,
    Whole,
)

LARGEST_POSITION = 2_147_483_647

ID = Whole(label="ID", read_only=True)

CATEGORY: Mapping[str, Field] = {
    "id": ID,
    "name": Char(max_length=120),
    "slug": Slug(max_length=140, unique="category with this slug already exists."),
    "parent": Reference(source="parent_id", required=False, nullable=True),
    "position": Whole(required=False, min_value=0, max_value=LARGEST_POSITION),
    "product_count": Whole(read_only=True),
}

CATEGORY_LINK = Nested(
    fields={
        "id": ID,
        "name": Char(max_length=120),
        "slug": Slug(max_length=140),
    }
)

IMAGE = Nested(
    fields={
        "url": Char(max_length=500),
        "alt": Char(required=False, max_length=200),
        "position": Whole(required=False, min_value=0, max_value=LARGEST_POSITION),
    }
)

RELATED = Nested(
    fields={
        "id": Whole(source="to_product.id"),
        "name": Char(source="to_product.name"),
        "slug": Slug(source="to_product.slug"),
        "kind": Choice(choices={"accessory": "Accessory", "alternative": "Alternative"}),
    }
)

PRODUCT_ITEM: Mapping[str, Field] = {
    "id": ID,
    "sku": Char(max_length=40, unique="product with this sku already exists."),
    "name": Char(max_length=200),
    "slug": Slug(max_length=220, unique="product with this slug already exists."),
    "category": CATEGORY_LINK,
    "price": Exact(digits=10, places=2, min_value=Decimal("0.01")),
    "currency": Char(required=False, max_length=3),
    "rating_average": Exact(digits=3, places=2, read_only=True),
    "rating_count": Whole(read_only=True),
    "image": Char(read_only=True),
    "created_at": Instant(),
    "updated_at": Instant(),
}

PRODUCT: Mapping[str, Field] = {
    "id": PRODUCT_ITEM["id"],
    "sku": PRODUCT_ITEM["sku"],
    "name": PRODUCT_ITEM["name"],
    "slug": PRODUCT_ITEM["slug"],
    "category": PRODUCT_ITEM["category"],
    "category_id": Reference(write_only=True),
    **PRODUCT_ITEM,
    "description": Char(required=False, blank=True),
    "weight_kg": Exact(digits=8, places=3, required=False, nullable=True),
    "attributes": JsonValue(required=False),
    "released_on": Day(required=False, nullable=True),
    "is_active": Boolean(required=False),
    "images": Many(child=IMAGE),
    "related": Many(child=RELATED),
}

REVIEW: Mapping[str, Field] = {
    "id": ID,
    "product": Reference(source="product_id"),
    "author_name": Char(read_only=True),
    "rating": Whole(min_value=1, max_value=5),
    "title": Char(max_length=120),
    "body": Char(required=False, blank=True),
    "created_at": Instant(),
    "updated_at": Instant(),
}
