"""What the shop does every night, across its apps: ratings, forgotten carts, orders nobody paid.

Each part may run again at any time; what it did already it does not do twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import Count, Sum

from shop.cart.models import Cart
from shop.catalog.models import Product, Review
from shop.inventory.models import Reservation
from shop.orders.checkout import expire

CART_LIFE = timedelta(days=30)
BATCH = 500


@dataclass(frozen=True)
class Night:
    """How much there was to do."""

    ratings: int
    carts: int
    orders: int


def run(now: datetime) -> Night:
    """Do all of it and count."""
    return Night(ratings=refresh_ratings(), carts=expire_carts(now), orders=expire_orders(now))


def mean(total: int, count: int) -> Decimal | None:
    """Return the average rating as the catalog shows it, None without reviews."""
    if not count:
        return None
    return (Decimal(total) / count).quantize(Decimal("0.01"), ROUND_HALF_UP)


@transaction.atomic
def refresh_ratings() -> int:
    """Bring every product's rating in line with its reviews; return how many differed."""
    sums = Review.objects.order_by().values_list("product").annotate(Sum("rating"), Count("pk"))
    rated = {product_id: (mean(total, count), count) for product_id, total, count in sums}
    stale = []
    for product in Product.objects.only("rating_average", "rating_count").order_by("pk"):
        rating = rated.get(product.pk, (None, 0))
        if (product.rating_average, product.rating_count) != rating:
            product.rating_average, product.rating_count = rating
            stale.append(product)
    # hard: bulk_update sends no signal and leaves updated_at as it was
    Product.objects.bulk_update(stale, ["rating_average", "rating_count"], batch_size=BATCH)
    return len(stale)


def expire_carts(now: datetime) -> int:
    """Throw away anonymous carts that nobody touched for a month; return how many."""
    forgotten = Cart.objects.filter(user=None, updated_at__lt=now - CART_LIFE)
    return forgotten.delete()[1].get("cart.Cart", 0)


def expire_orders(now: datetime) -> int:
    """Cancel orders whose stock was held back for too long; return how many."""
    late = (
        Reservation.objects.filter(expires_at__lt=now).order_by("order_id").values_list("order_id", flat=True)
    )
    return sum(expire(order_id) for order_id in list(late.distinct()))
