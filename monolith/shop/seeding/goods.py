"""Invent what is for sale: categories, products, and what hangs on each product."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random

from django.utils.text import slugify

from shop.catalog.models import Category, Product, ProductImage, RelatedProduct, Review
from shop.nightly import mean
from shop.seeding.moments import dice, later, moment
from shop.seeding.words import COLOURS, MATERIALS, SHELVES, TITLES, Shelf, Words

CHEAPEST = Decimal("0.01")
DEAREST = Decimal("99999999.99")
RATINGS = (1, 2, 3, 4, 4, 5, 5, 5)
REVIEWS_A_PRODUCT = (0, 0, 1, 1, 2, 2, 3, 5)
IMAGES_A_PRODUCT = (0, 1, 1, 2, 3)


@dataclass(frozen=True)
class Place:
    """A lower category, with what belongs in it."""

    category: Category
    shelf: Shelf
    nouns: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One product and everything that hangs on it."""

    product: Product
    images: tuple[ProductImage, ...]
    reviews: tuple[Review, ...]
    related: tuple[RelatedProduct, ...]


def places() -> tuple[list[Category], list[Place]]:
    """Return all categories, parents first, and the lower ones as places for products."""
    categories: list[Category] = []
    found: list[Place] = []
    for position, shelf in enumerate(SHELVES):
        parent = Category(
            pk=len(categories) + 1, name=shelf.name, slug=slugify(shelf.name), position=position
        )
        categories.append(parent)
        for below, (name, nouns) in enumerate(shelf.children.items()):
            child = Category(
                pk=len(categories) + 1, name=name, slug=slugify(name), parent_id=parent.pk, position=below
            )
            categories.append(child)
            found.append(Place(child, shelf, nouns))
    return categories, found


class Goods:
    """A stream of invented products; each thing that hangs on them is numbered through."""

    def __init__(self, words: Words, authors: list[tuple[int, str]], products: int, seed: int) -> None:
        self.words = words
        self.authors = authors
        self.products = products
        self.chance = dice(seed, "goods")
        self.places = places()[1]
        self.images = self.reviews = self.related = 0

    def __iter__(self) -> Iterator[Item]:
        for pk in range(1, self.products + 1):
            place = self.chance.choice(self.places)
            product = self._product(pk, place)
            reviews = tuple(self._reviews(product))
            product.rating_average = mean(sum(review.rating for review in reviews), len(reviews))
            product.rating_count = len(reviews)
            yield Item(product, tuple(self._images(product, place)), reviews, tuple(self._related(product)))

    def _product(self, pk: int, place: Place) -> Product:
        chance = self.chance
        name = f"{chance.choice(self.words.brands)} {chance.choice(place.nouns)}, {chance.choice(COLOURS)}"
        created = moment(chance)
        return Product(
            pk=pk,
            sku=f"{place.shelf.art[:2].upper()}-{pk:07d}",
            name=name,
            slug=f"{slugify(name)[:200].strip('-') or 'product'}-{pk}",
            description=" ".join(chance.choices(self.words.sentences, k=chance.randrange(5))),
            category_id=place.category.pk,
            price=_price(chance),
            currency="CHF" if chance.random() < 0.03 else "EUR",
            weight_kg=None if chance.random() < 0.3 else Decimal(chance.randrange(1, 40_000)).scaleb(-3),
            attributes=_attributes(chance),
            is_active=chance.random() < 0.95,
            released_on=None if chance.random() < 0.1 else created.date() - timedelta(chance.randrange(400)),
            created_at=created,
            updated_at=later(created, chance),
        )

    def _images(self, product: Product, place: Place) -> Iterator[ProductImage]:
        for position in range(self.chance.choice(IMAGES_A_PRODUCT)):
            self.images += 1
            art = place.shelf.art if position == 0 else self.chance.choice(SHELVES).art
            yield ProductImage(
                pk=self.images,
                product_id=product.pk,
                url=f"/static/pages/art/{art}.svg",
                alt=product.name if self.chance.random() < 0.8 else "",
                position=position,
            )

    def _reviews(self, product: Product) -> Iterator[Review]:
        wanted = min(self.chance.choice(REVIEWS_A_PRODUCT), len(self.authors))
        for author_id, author_name in self.chance.sample(self.authors, wanted):
            self.reviews += 1
            written = later(product.created_at, self.chance)
            yield Review(
                pk=self.reviews,
                product_id=product.pk,
                author_id=author_id if self.chance.random() < 0.9 else None,
                author_name=author_name,
                rating=self.chance.choice(RATINGS),
                title=self.chance.choice(TITLES),
                body=" ".join(self.chance.choices(self.words.sentences, k=self.chance.randrange(4))),
                created_at=written,
                updated_at=written,
            )

    def _related(self, product: Product) -> Iterator[RelatedProduct]:
        others = {self.chance.randint(1, self.products) for _ in range(self.chance.choice((0, 0, 1, 2)))}
        for position, other in enumerate(sorted(others - {product.pk})):
            self.related += 1
            yield RelatedProduct(
                pk=self.related,
                from_product_id=product.pk,
                to_product_id=other,
                kind=self.chance.choice(RelatedProduct.Kind.values),
                position=position,
            )


def _price(chance: Random) -> Decimal:
    kind = chance.random()
    if kind < 0.002:
        return CHEAPEST
    if kind < 0.003:
        return DEAREST
    return Decimal(int(100 * chance.lognormvariate(3.2, 1.1)) + 1).scaleb(-2)


def _attributes(chance: Random) -> dict[str, object]:
    if chance.random() < 0.2:
        return {}
    attributes: dict[str, object] = {"colour": chance.choice(COLOURS), "material": chance.choice(MATERIALS)}
    if chance.random() < 0.3:
        attributes["size_cm"] = [chance.randrange(5, 200), chance.randrange(5, 200), chance.randrange(5, 200)]
    if chance.random() < 0.1:
        attributes |= {"organic": chance.random() < 0.5, "batch": None, "litres": chance.randrange(1, 80) / 8}
    return attributes
