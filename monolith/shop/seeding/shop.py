"""Fill an empty database with an invented shop, in one transaction: all of it or nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice

from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model

from shop.accounts.models import Address, User
from shop.cart.models import Cart, CartLine
from shop.catalog.models import Category, Product, ProductImage, RelatedProduct, Review
from shop.inventory.models import Reservation, Stock
from shop.orders.access import SUPPORT, make_support_group
from shop.orders.models import Order, OrderLine, OrderStatusHistory
from shop.pages.models import Tag, TaggedItem
from shop.payments.models import Payment
from shop.seeding.goods import Goods, places
from shop.seeding.labels import tagged_items, tags
from shop.seeding.loading import clear, continue_numbering, insert
from shop.seeding.people import FIRST_CUSTOMER_ID, SUPPORT_ID, addresses, users
from shop.seeding.sales import CURRENCY, Offer, Sale, Sales, reservations, stocks
from shop.seeding.words import Words, words

TABLES = (
    *(User, Address, Category, Product, ProductImage, RelatedProduct, Review, Stock, Reservation),
    *(Cart, CartLine, Order, OrderLine, OrderStatusHistory, Payment, Tag, TaggedItem),
)
ITEMS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Size:
    """How large a shop to invent."""

    products: int
    orders: int

    @property
    def customers(self) -> int:
        return max(10, self.orders // 5)


@transaction.atomic
def fill(size: Size, seed: int, *, fresh: bool) -> dict[str, int]:
    """Invent a shop; return how many rows each table got. `fresh` deletes what is there first.

    The tables are filled as the rows come: references are checked at the commit, on both databases.
    """
    if fresh:
        clear((*TABLES, Session))
    pools = words(seed)
    counts: Counter[str] = Counter()
    authors = _put_people(counts, pools, size, seed)
    offers = _put_goods(counts, Goods(pools, authors, size.products, seed))
    sales = list(Sales(pools, offers, size.customers, size.orders, seed))
    _put_sales(counts, sales, size, seed)
    _put(counts, Tag, tags())
    _put(counts, TaggedItem, tagged_items(size.products, len(sales), seed))
    continue_numbering(TABLES)
    return dict(counts)


def _put(counts: Counter[str], model: type[Model], rows: Iterable[Model]) -> None:
    counts[model._meta.label] += insert(model, rows)


def _put_people(counts: Counter[str], pools: Words, size: Size, seed: int) -> list[tuple[int, str]]:
    """Write the people; return those who may write reviews."""
    people = list(users(pools, size.customers, seed))
    _put(counts, User, people)
    _put(counts, Address, addresses(pools, size.customers))
    make_support_group()
    Group.objects.get(name=SUPPORT).user_set.add(SUPPORT_ID)
    return [(user.pk, user.display_name) for user in people if user.pk >= FIRST_CUSTOMER_ID]


def _put_goods(counts: Counter[str], goods: Goods) -> list[Offer]:
    """Write the goods; return what orders may be made of."""
    _put(counts, Category, places()[0])
    stream = iter(goods)
    offers: list[Offer] = []
    while items := list(islice(stream, ITEMS_AT_ONCE)):
        _put(counts, Product, (item.product for item in items))
        _put(counts, ProductImage, chain.from_iterable(item.images for item in items))
        _put(counts, Review, chain.from_iterable(item.reviews for item in items))
        _put(counts, RelatedProduct, chain.from_iterable(item.related for item in items))
        on_sale = (item.product for item in items if item.product.is_active)
        offers += [Offer.of(product) for product in on_sale if product.currency == CURRENCY]
    return offers


def _put_sales(counts: Counter[str], sales: list[Sale], size: Size, seed: int) -> None:
    reserved: Counter[int] = Counter()
    for product_id, quantity in chain.from_iterable(sale.reserved for sale in sales):
        reserved[product_id] += quantity
    _put(counts, Order, (sale.order for sale in sales))
    _put(counts, OrderLine, chain.from_iterable(sale.lines for sale in sales))
    _put(counts, OrderStatusHistory, chain.from_iterable(sale.history for sale in sales))
    _put(counts, Payment, chain.from_iterable(sale.payments for sale in sales))
    _put(counts, Stock, stocks(size.products, reserved, seed))
    _put(counts, Reservation, reservations(sales))
