"""Take stock, hold it back, give it back. Every function runs inside its caller's transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import F

from shop.errors import Conflict
from shop.inventory.models import Reservation, Stock

Quantities = Mapping[int, int]  # product id → how many


class OutOfStock(Conflict):
    """There is less on the shelf than was asked for."""

    code = "out_of_stock"


def lock(product_ids: Iterable[int]) -> dict[int, Stock]:
    """Return the stock rows of `product_ids`, locked until the transaction ends.

    Always in the order of product ids, so that two checkouts never wait for each other. SQLite has no row
    locks: there the transaction holds the only write lock from its start.
    """
    rows = Stock.objects.select_for_update(of=("self",)).select_related("product")
    return {stock.product_id: stock for stock in rows.filter(product__in=product_ids).order_by("product_id")}


def take(stocks: Mapping[int, Stock], wanted: Quantities) -> None:
    """Take `wanted` off the shelf for good; refuse with what is missing."""
    _require(stocks, wanted)
    for product_id, quantity in wanted.items():
        stocks[product_id].on_hand -= quantity
        stocks[product_id].save(update_fields=["on_hand", "updated_at"])


def reserve(stocks: Mapping[int, Stock], wanted: Quantities, order_id: int, until: datetime) -> None:
    """Hold `wanted` back for an order until it is paid or `until` has passed."""
    _require(stocks, wanted)
    for product_id, quantity in wanted.items():
        stocks[product_id].reserved += quantity
        stocks[product_id].save(update_fields=["reserved", "updated_at"])
    Reservation.objects.bulk_create(
        Reservation(stock=stocks[product_id], order_id=order_id, quantity=quantity, expires_at=until)
        for product_id, quantity in wanted.items()
    )


def hand_over(order_id: int) -> None:
    """Turn what is held back for an order into what it took."""
    held = Reservation.objects.filter(order=order_id).order_by("stock_id")
    for reservation in held:
        Stock.objects.filter(pk=reservation.stock_id).update(
            on_hand=F("on_hand") - reservation.quantity, reserved=F("reserved") - reservation.quantity
        )
    held.delete()


def release(order_id: int) -> None:
    """Give back what is held back for an order."""
    held = Reservation.objects.filter(order=order_id).order_by("stock_id")
    for reservation in held:
        Stock.objects.filter(pk=reservation.stock_id).update(reserved=F("reserved") - reservation.quantity)
    held.delete()


def put_back(returned: Quantities) -> None:
    """Put what a cancelled order had taken back on the shelf."""
    for product_id, quantity in sorted(returned.items()):
        Stock.objects.filter(product=product_id).update(on_hand=F("on_hand") + quantity)


def _require(stocks: Mapping[int, Stock], wanted: Quantities) -> None:
    missing = [
        f"{stocks[product_id].product.name} ({stocks[product_id].available} left)"
        for product_id, quantity in wanted.items()
        if stocks[product_id].available < quantity
    ]
    if missing:
        raise OutOfStock(f"Not enough in stock: {', '.join(missing)}.")
