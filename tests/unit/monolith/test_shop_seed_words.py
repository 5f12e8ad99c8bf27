"""Invented words and goods depend on the seed alone."""

import random

from shop.seeding.goods import Goods, Item, places
from shop.seeding.words import words

AUTHORS = [(number, f"author {number}") for number in range(10)]


def invented(seed: int, products: int = 200) -> list[Item]:
    return list(Goods(words(seed), AUTHORS, products, seed))


def columns(items: list[Item]) -> list[dict]:
    rows = [row for item in items for row in (item.product, *item.images, *item.reviews, *item.related)]
    return [{name: value for name, value in vars(row).items() if name != "_state"} for row in rows]


def test_the_same_seed_invents_the_same_goods():
    random.seed(1)
    first = columns(invented(7))
    random.seed(2)
    assert columns(invented(7)) == first


def test_another_seed_invents_other_goods():
    assert columns(invented(7)) != columns(invented(8))


def test_invented_goods_hold_the_awkward_values():
    products = [item.product for item in invented(1, 1000)]
    assert any(not product.name.isascii() for product in products)
    assert any(product.weight_kg is None for product in products)
    assert any(product.released_on is None for product in products)
    assert any(product.rating_average is None for product in products)
    assert any(product.description == "" for product in products)
    assert any(not product.is_active for product in products)
    assert any(product.created_at.microsecond == 0 for product in products)
    assert {product.currency for product in products} == {"EUR", "CHF"}


def test_every_slug_is_unique_and_ascii():
    slugs = [item.product.slug for item in invented(1, 500)]
    assert len(set(slugs)) == 500
    assert all(slug.isascii() for slug in slugs)


def test_categories_are_two_levels_deep():
    categories, below = places()
    assert {place.category.parent_id for place in below} == {c.pk for c in categories if c.parent_id is None}
