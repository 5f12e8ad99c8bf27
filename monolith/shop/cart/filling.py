"""Find a visitor's cart and change what is in it."""

from django.db import transaction
from django.http import HttpRequest

from shop.cart.models import LARGEST_QUANTITY, Cart, CartLine
from shop.catalog.models import Product
from shop.errors import Conflict

SESSION_KEY = "cart"


class OtherCurrency(Conflict):
    """One order is paid in one currency."""

    code = "other_currency"


def cart_of(request: HttpRequest) -> Cart | None:
    """Return the visitor's cart with its lines and products, None while they have none."""
    carts = Cart.objects.prefetch_related("lines__product")
    if request.user.is_authenticated:
        return carts.filter(user=request.user.pk).first()
    # hard: an anonymous cart is known to the session alone, which only the monolith can read
    cart_id = request.session.get(SESSION_KEY)
    return carts.filter(pk=cart_id, user=None).first() if cart_id else None


def open_cart(request: HttpRequest) -> Cart:
    """Return the visitor's cart, a new one if they have none."""
    cart = cart_of(request)
    if cart:
        return cart
    if request.user.is_authenticated:
        return Cart.objects.get_or_create(user=request.user)[0]
    cart = Cart.objects.create()
    request.session[SESSION_KEY] = cart.pk
    return cart


@transaction.atomic
def add(cart: Cart, product: Product, quantity: int) -> None:
    """Add so many of a product to a cart, up to the largest quantity a line may hold."""
    lock(cart)
    currency = next((line.product.currency for line in cart.lines.select_related("product")), None)
    if currency and currency != product.currency:
        raise OtherCurrency(
            f"The cart holds {currency}; order {product.name} ({product.currency}) by itself."
        )
    line = cart.lines.filter(product=product).first() or CartLine(cart=cart, product=product, quantity=0)
    line.quantity = min(line.quantity + quantity, LARGEST_QUANTITY)
    line.save()
    cart.save(update_fields=["updated_at"])


@transaction.atomic
def merge(anonymous: Cart, own: Cart) -> None:
    """Move what somebody chose before they signed in to their own cart, without adding it up twice."""
    lock(anonymous)
    for line in anonymous.lines.select_related("product"):
        kept = own.lines.filter(product=line.product).first()
        if kept:
            kept.quantity = max(kept.quantity, line.quantity)
            kept.save(update_fields=["quantity"])
        else:
            own.lines.create(product=line.product, quantity=line.quantity)
    anonymous.delete()


def change(line: CartLine, quantity: int) -> None:
    """Set how many of its product a line holds."""
    line.quantity = quantity
    line.save(update_fields=["quantity"])
    line.cart.save(update_fields=["updated_at"])


def lock(cart: Cart) -> None:
    """Make whoever else changes or orders this cart wait for the transaction's end."""
    Cart.objects.select_for_update().filter(pk=cart.pk).first()
