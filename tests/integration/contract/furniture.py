"""What stands in the shop of the contract: enough of everything to fill pages, and every odd value."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from shop.accounts.models import User
from shop.catalog.models import Category, Product, ProductImage, RelatedProduct, Review
from shop.orders.models import Order

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
OPENING = datetime(2024, 1, 1, tzinfo=UTC)
PRODUCTS = 45
ORDERED = 44  # the id of the product that somebody bought
ODD_NAMES = (
    "Grüße & <Küsse>",
    "ÉCLAIR",
    "éclair",
    "100 % wool_mix",
    "line\u2028break",
    "日本語 \U0001f600",
    'say "hi"',
)
ODD_PRICES = ("0.01", "99999999.99", "20.00", "19.99", "0.10", "1234.50")
ODD_ATTRIBUTES = ({}, {"b": 1.5, "a": [1, None, True]}, [], "text", 5, {"größe": {"x": "ü"}}, {"n": 1e20})


@dataclass(frozen=True)
class Person:
    """Somebody with a login on the monolith."""

    id: int
    name: str
    staff: bool
    session: str


def furnish() -> dict[str, Person]:
    """Fill the shop; return who can sign in: staff, two customers who wrote reviews, one who did not."""
    _furnish_catalog()
    staff = User.objects.create(username="staff", is_staff=True)
    ada = User.objects.create(username="ada", first_name="Ada", last_name="Lovelace")
    bob = User.objects.create(username="bob")
    eve = User.objects.create(username="eve")
    _furnish_reviews(ada, bob)
    _furnish_order(ada)
    return {user.username: _signed_in(user) for user in (staff, ada, bob, eve)}


def _signed_in(user: User) -> Person:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = MODEL_BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return Person(user.pk, user.display_name, user.is_staff, str(session.session_key))


def _furnish_catalog() -> None:
    roots = [Category.objects.create(name=f"Root {n}", slug=f"root-{n}", position=3 - n) for n in range(3)]
    leaves = [
        Category.objects.create(name=f"Leaf {n} ü", slug=f"leaf-{n}", parent=roots[n % 2], position=n // 3)
        for n in range(22)
    ]
    Product.objects.bulk_create(_product(number, leaves) for number in range(PRODUCTS))
    products = list(Product.objects.order_by("id"))
    for number, product in enumerate(products):
        # Every third made in the same instant as its neighbour; whole seconds and microseconds both.
        made = OPENING + timedelta(hours=number // 3, microseconds=(number % 5) * 1001)
        Product.objects.filter(pk=product.pk).update(created_at=made, updated_at=made + timedelta(days=1))
    _furnish_details(products)


def _product(number: int, categories: list[Category]) -> Product:
    odd = number % 7
    return Product(
        sku=f"SKU-{number:03}",
        name=ODD_NAMES[odd] if number % 2 else f"Product {number}",
        slug=f"product-{number}",
        description=f"A thing {number}\n\twith 50% more \\ back_slash" if number % 3 else "",
        category=categories[number % 9],
        price=Decimal(ODD_PRICES[number % len(ODD_PRICES)]),
        currency="USD" if number % 10 == 0 else "EUR",
        weight_kg=None if number % 4 == 0 else Decimal(number) / 1000,
        attributes=ODD_ATTRIBUTES[odd],
        is_active=number % 11 != 5,
        released_on=None if number % 5 == 0 else date(2023, 1 + number % 12, 1 + number % 28),
        rating_average=None if number % 3 == 0 else Decimal(number % 500) / 100 % 5,
        rating_count=number,
    )


def _furnish_details(products: list[Product]) -> None:
    ProductImage.objects.bulk_create(
        ProductImage(product=product, url=f"https://img.example/{product.pk}/{n}.jpg", position=(n * 2) % 3)
        for product in products[::2]
        for n in range(3)
    )
    RelatedProduct.objects.bulk_create(
        RelatedProduct(
            from_product=product,
            to_product=products[(number + step) % PRODUCTS],
            kind=RelatedProduct.Kind.ACCESSORY if step % 2 else RelatedProduct.Kind.ALTERNATIVE,
            position=5 - step,
        )
        for number, product in enumerate(products[:12])
        for step in (1, 2, 5)
    )


def _furnish_reviews(ada: User, bob: User) -> None:
    products = Product.objects.order_by("id")[:24]
    reviews = [
        Review(
            product=product, author=author, author_name=author.display_name, rating=1 + n % 5, title=f"Ü {n}"
        )
        for n, product in enumerate(products)
        for author in ((ada, bob) if n % 4 == 0 else (ada,))
    ]
    reviews.append(
        Review(product=products[0], author=None, author_name="Gone", rating=3, title="?", body="so so")
    )
    Review.objects.bulk_create(reviews)
    for number, review in enumerate(Review.objects.order_by("id")):
        written = OPENING + timedelta(minutes=number // 2)
        Review.objects.filter(pk=review.pk).update(created_at=written, updated_at=written)


def _furnish_order(buyer: User) -> None:
    """Have one product ordered, in a table that no service ever sees."""
    product = Product.objects.get(pk=ORDERED)
    order = Order.objects.create(user=buyer, total=product.price, currency=product.currency)
    order.lines.create(
        product=product, sku=product.sku, name=product.name, unit_price=product.price, quantity=1
    )
