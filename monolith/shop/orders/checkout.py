"""Turn a cart into an order, pay one that was left open, cancel one.

Each function is one transaction over orders, inventory and payments: all of it happens or none of it. That
is what makes these three apps hard to part. Locks are always taken in one order: cart or order, then stock
by product id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from shop.accounts.models import User
from shop.cart import filling
from shop.cart.models import Cart, CartLine
from shop.errors import Conflict, Refusal
from shop.inventory import holding
from shop.orders.models import Order, OrderLine, OrderStatusHistory
from shop.payments import paying
from shop.payments.models import Payment

HOLD = timedelta(days=3)


class EmptyCart(Refusal):
    """There is nothing to order."""

    code = "empty_cart"


class NotForSale(Conflict):
    """Something in the cart was taken off sale since."""

    code = "not_for_sale"


class WrongStatus(Conflict):
    """The order has come too far, or not far enough."""

    code = "wrong_status"


@dataclass(frozen=True)
class Destination:
    """Where an order goes."""

    name: str
    street: str
    postcode: str
    city: str
    country: str


@transaction.atomic
def place(buyer: User, cart: Cart, destination: Destination, card_number: str | None) -> Order:
    """Order what is in `cart`: pay it by card at once, or hold the stock until it is paid.

    Raise Refusal with everything as it was: empty cart, off sale, mixed currencies, out of stock, card
    declined, provider unavailable.
    """
    filling.lock(cart)
    lines = list(cart.lines.select_related("product").order_by("product_id"))
    _require_orderable(lines)
    order = _write(buyer, lines, destination)
    wanted = {line.product_id: line.quantity for line in lines}
    # hard: one transaction over orders, inventory and payments, with rows of the other apps locked in it
    stocks = holding.lock(wanted)
    cart.lines.all().delete()
    if card_number is None:
        holding.reserve(stocks, wanted, order.pk, until=timezone.now() + HOLD)
        record(order, Order.Status.AWAITING_PAYMENT, buyer)
        return order
    holding.take(stocks, wanted)
    record(order, Order.Status.PAID, buyer)
    # hard: the money is taken before the commit; a declined card takes its own trace away with the rollback
    paying.charge(order, card_number)
    return order


@transaction.atomic
def pay(order_id: int, card_number: str) -> Payment:
    """Pay an order that was left open, and take what was held back for it."""
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.status != Order.Status.AWAITING_PAYMENT:
        raise WrongStatus(f"The order is {order.get_status_display().lower()}; only an open one can be paid.")
    holding.hand_over(order.pk)
    record(order, Order.Status.PAID, order.user)
    return paying.charge(order, card_number)


@transaction.atomic
def cancel(order_id: int, by: User) -> Order:
    """Cancel an order that was not shipped: stock goes back, money too."""
    order = Order.objects.select_for_update().get(pk=order_id)
    if not order.is_cancellable:
        raise WrongStatus(f"The order is {order.get_status_display().lower()}; it cannot be cancelled.")
    if order.status == Order.Status.PAID:
        holding.put_back(_quantities(order))
    else:
        holding.release(order.pk)
    record(order, Order.Status.CANCELLED, by)
    paying.refund(order)
    return order


@transaction.atomic
def expire(order_id: int) -> bool:
    """Cancel an order that nobody paid in time; say whether it still was one."""
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.status != Order.Status.AWAITING_PAYMENT:
        return False
    holding.release(order.pk)
    record(order, Order.Status.CANCELLED, None)
    return True


def record(order: Order, status: Order.Status, by: User | None) -> None:
    """Bring an order to a status and write down who did."""
    order.status = status
    order.save(update_fields=["status", "updated_at"])
    OrderStatusHistory.objects.create(order=order, status=status, changed_by=by)


def _quantities(order: Order) -> dict[int, int]:
    return dict(order.lines.values_list("product_id", "quantity"))


def _require_orderable(lines: Sequence[CartLine]) -> None:
    if not lines:
        raise EmptyCart("The cart is empty.")
    gone = [line.product.name for line in lines if not line.product.is_active]
    if gone:
        raise NotForSale(f"No longer for sale: {', '.join(gone)}.")
    currencies = {line.product.currency for line in lines}
    if len(currencies) > 1:
        raise filling.OtherCurrency(
            f"One order is paid in one currency, not in {', '.join(sorted(currencies))}."
        )


def _write(buyer: User, lines: Sequence[CartLine], destination: Destination) -> Order:
    order = Order.objects.create(
        user=buyer,
        status=Order.Status.AWAITING_PAYMENT,
        currency=lines[0].product.currency,
        total=sum((line.total for line in lines), Decimal(0)),
        ship_name=destination.name,
        ship_street=destination.street,
        ship_postcode=destination.postcode,
        ship_city=destination.city,
        ship_country=destination.country,
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=line.product,
            sku=line.product.sku,
            name=line.product.name,
            unit_price=line.product.price,
            quantity=line.quantity,
        )
        for line in lines
    )
    return order
