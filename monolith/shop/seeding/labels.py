"""Invent tags, and put them on products and orders."""

from collections.abc import Iterator

from django.contrib.contenttypes.models import ContentType
from django.utils.text import slugify

from shop.catalog.models import Product
from shop.orders.models import Order
from shop.pages.models import Tag, TaggedItem
from shop.seeding.moments import dice
from shop.seeding.words import TAGS

SHARE = 0.1


def tags() -> list[Tag]:
    """Return every tag; one without Latin letters gets a numbered slug."""
    return [Tag(pk=pk, name=name, slug=slugify(name) or f"tag-{pk}") for pk, name in enumerate(TAGS, start=1)]


def tagged_items(products: int, orders: int, seed: int) -> Iterator[TaggedItem]:
    """Yield a tag for one in ten products and orders."""
    chance = dice(seed, "tags")
    pk = 0
    for model, count in ((Product, products), (Order, orders)):
        kind = ContentType.objects.get_for_model(model)
        for object_id in range(1, count + 1):
            if chance.random() < SHARE:
                pk += 1
                yield TaggedItem(
                    pk=pk, tag_id=chance.randint(1, len(TAGS)), content_type=kind, object_id=object_id
                )
