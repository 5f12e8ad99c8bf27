"""Invent what was bought, and the stock that is left."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from shop.catalog.models import Product
from shop.inventory.models import Reservation, Stock
from shop.orders.checkout import HOLD
from shop.orders.models import Order, OrderLine, OrderStatusHistory
from shop.payments.models import Payment
from shop.seeding.moments import OPENED, dice, moment
from shop.seeding.people import FIRST_CUSTOMER_ID, STAFF_ID
from shop.seeding.words import Person, Words

CURRENCY = "EUR"
PATHS = {
    Order.Status.AWAITING_PAYMENT: (Order.Status.AWAITING_PAYMENT,),
    Order.Status.PAID: (Order.Status.PAID,),
    Order.Status.SHIPPED: (Order.Status.PAID, Order.Status.SHIPPED),
    Order.Status.CANCELLED: (Order.Status.PAID, Order.Status.CANCELLED),
}
STATUSES = (
    (Order.Status.SHIPPED,) * 6
    + (Order.Status.PAID,) * 2
    + (
        Order.Status.CANCELLED,
        Order.Status.AWAITING_PAYMENT,
    )
)


@dataclass(frozen=True)
class Offer:
    """What an order line copies of a product."""

    pk: int
    sku: str
    name: str
    price: Decimal

    @classmethod
    def of(cls, product: Product) -> "Offer":
        return cls(product.pk, product.sku, product.name, product.price)


@dataclass(frozen=True)
class Sale:
    """One order and everything that hangs on it."""

    order: Order
    lines: tuple[OrderLine, ...]
    history: tuple[OrderStatusHistory, ...]
    payments: tuple[Payment, ...]
    reserved: tuple[tuple[int, int], ...]  # product id, quantity


class Sales:
    """A stream of invented orders of some customers for some offers, all in one currency."""

    def __init__(self, words: Words, offers: Sequence[Offer], customers: int, orders: int, seed: int) -> None:
        self.words = words
        self.offers = offers
        self.customers = customers
        self.orders = orders if offers else 0
        self.chance = dice(seed, "sales")
        self.lines = self.history = self.payments = 0

    def __iter__(self) -> Iterator[Sale]:
        for pk in range(1, self.orders + 1):
            number = self.chance.randint(1, self.customers)
            buyer = self.words.people[number % len(self.words.people)]
            order = self._order(pk, FIRST_CUSTOMER_ID - 1 + number, buyer)
            lines = tuple(self._lines(order))
            order.total = sum((line.total for line in lines), Decimal(0))
            open_ = order.status == Order.Status.AWAITING_PAYMENT
            reserved = tuple((line.product_id, line.quantity) for line in lines) if open_ else ()
            yield Sale(order, lines, tuple(self._history(order)), tuple(self._payments(order)), reserved)

    def _order(self, pk: int, user_id: int, buyer: Person) -> Order:
        placed = moment(self.chance)
        return Order(
            pk=pk,
            user_id=user_id,
            status=self.chance.choice(STATUSES).value,
            currency=CURRENCY,
            ship_name=f"{buyer.first_name} {buyer.last_name}",
            ship_street=buyer.street,
            ship_postcode=buyer.postcode,
            ship_city=buyer.city,
            ship_country=buyer.country,
            placed_at=placed,
            updated_at=placed,
        )

    def _lines(self, order: Order) -> Iterator[OrderLine]:
        # A few products sell much more than the others, as everywhere.
        picks = {int(len(self.offers) * self.chance.random() ** 3) for _ in range(self.chance.randint(1, 4))}
        for offer in (self.offers[pick] for pick in sorted(picks)):
            self.lines += 1
            yield OrderLine(
                pk=self.lines,
                order_id=order.pk,
                product_id=offer.pk,
                sku=offer.sku,
                name=offer.name,
                unit_price=offer.price,
                quantity=self.chance.choice((1, 1, 1, 2, 3)),
            )

    def _history(self, order: Order) -> Iterator[OrderStatusHistory]:
        for step, status in enumerate(PATHS[Order.Status(order.status)]):
            self.history += 1
            yield OrderStatusHistory(
                pk=self.history,
                order_id=order.pk,
                status=status.value,
                changed_by_id=STAFF_ID if status == Order.Status.SHIPPED else order.user_id,
                changed_at=order.placed_at + timedelta(hours=20 * step),
            )

    def _payments(self, order: Order) -> Iterator[Payment]:
        if order.status == Order.Status.AWAITING_PAYMENT:
            return
        self.payments += 1
        cancelled = order.status == Order.Status.CANCELLED
        yield Payment(
            pk=self.payments,
            order_id=order.pk,
            amount=order.total,
            currency=order.currency,
            status=(Payment.Status.REFUNDED if cancelled else Payment.Status.CAPTURED).value,
            reference=f"ch_{self.chance.getrandbits(128):032x}",
            card_ending=f"{self.chance.randrange(10_000):04d}",
            created_at=order.placed_at,
            updated_at=order.placed_at,
        )


def stocks(products: int, reserved: Counter[int], seed: int) -> Iterator[Stock]:
    """Yield one stock row a product, numbered like it; one in twelve is sold out."""
    chance = dice(seed, "stock")
    for pk in range(1, products + 1):
        left = 0 if chance.random() < 1 / 12 else chance.randrange(1, 200)
        yield Stock(
            pk=pk, product_id=pk, on_hand=left + reserved[pk], reserved=reserved[pk], updated_at=OPENED
        )


def reservations(sales: Sequence[Sale]) -> Iterator[Reservation]:
    """Yield what is held back for orders that nobody has paid yet."""
    held = [(sale.order, *entry) for sale in sales for entry in sale.reserved]
    for pk, (order, product_id, quantity) in enumerate(held, start=1):
        yield Reservation(
            pk=pk,
            stock_id=product_id,
            order_id=order.pk,
            quantity=quantity,
            created_at=order.placed_at,
            expires_at=order.placed_at + HOLD,
        )
