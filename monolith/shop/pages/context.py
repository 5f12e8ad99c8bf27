"""What every page shows besides its own content."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from shop.cart.filling import cart_of


def cart_size(request: HttpRequest) -> dict[str, object]:
    """Offer the number of things in the visitor's cart, counted only by a template that shows it."""

    def count() -> int:
        cart = cart_of(request)
        return sum(line.quantity for line in cart.lines.all()) if cart else 0

    return {"cart_size": SimpleLazyObject(count)}
