"""The night's work writes across apps, does nothing twice, and touches nothing else."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone
from shop.cart.models import Cart
from shop.catalog.models import Product, Review
from shop.inventory.models import Reservation, Stock
from shop.nightly import Night, run
from shop.orders.checkout import Destination, expire, pay, place
from shop.orders.models import Order
from shop_facts import GOOD_CARD, SHIP_TO

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def age(cart: Cart, days: int) -> None:
    Cart.objects.filter(pk=cart.pk).update(updated_at=NOW - timedelta(days=days))


def test_ratings_follow_the_reviews_and_updated_at_stays(make_product):
    rated, unrated, stale = make_product(), make_product(), make_product(rating_average=5, rating_count=9)
    for number, rating in enumerate((5, 4, 4)):
        Review.objects.create(product=rated, author_name=f"a{number}", rating=rating, title="t")
    assert run(NOW).ratings == 2
    shown = dict(Product.objects.values_list("pk", "rating_average"))
    assert shown == {rated.pk: Decimal("4.33"), unrated.pk: None, stale.pk: None}
    assert Product.objects.get(pk=rated.pk).rating_count == 3
    assert Product.objects.get(pk=rated.pk).updated_at == rated.updated_at


def test_only_forgotten_anonymous_carts_are_thrown_away(customer, product, fill_cart):
    forgotten, recent, own = Cart.objects.create(), Cart.objects.create(), fill_cart(customer, product)
    forgotten.lines.create(product=product, quantity=1)
    for cart, days in ((forgotten, 31), (recent, 29), (own, 400)):
        age(cart, days)
    assert run(NOW).carts == 1
    assert set(Cart.objects.all()) == {recent, own}


def test_unpaid_orders_give_their_stock_back(customer, product, fill_cart):
    late = place(customer, fill_cart(customer, product, quantity=2), Destination(**SHIP_TO), None)
    fresh = place(customer, fill_cart(customer, product, quantity=3), Destination(**SHIP_TO), None)
    Reservation.objects.filter(order=late).update(expires_at=NOW - timedelta(seconds=1))
    assert run(NOW).orders == 1
    assert Order.objects.get(pk=late.pk).status == "cancelled"
    assert late.history.last().changed_by is None
    assert Order.objects.get(pk=fresh.pk).status == "awaiting_payment"
    stock = Stock.objects.get(product=product)
    assert (stock.on_hand, stock.reserved) == (10, 3)


def test_an_order_paid_in_time_is_never_cancelled(customer, product, fill_cart):
    order = place(customer, fill_cart(customer, product), Destination(**SHIP_TO), None)
    pay(order.pk, GOOD_CARD)
    assert run(NOW + timedelta(days=30)).orders == 0
    assert expire(order.pk) is False  # paid after the night had listed it
    assert Order.objects.get().status == "paid"


def test_a_second_run_finds_nothing_to_do(customer, product, fill_cart, capsys):
    Review.objects.create(product=product, author_name="a", rating=3, title="t")
    place(customer, fill_cart(customer, product), Destination(**SHIP_TO), None)
    later = NOW + timedelta(days=60)
    assert run(later) == Night(ratings=1, carts=0, orders=1)
    assert run(later) == Night(ratings=0, carts=0, orders=0)
    call_command("nightly")
    assert capsys.readouterr().out.startswith("0 ratings refreshed")
