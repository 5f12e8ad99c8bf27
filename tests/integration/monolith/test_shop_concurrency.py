"""Purchases at the same moment: nothing is sold twice, nothing is paid twice."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from shop.errors import Refusal
from shop.inventory.models import Stock
from shop.orders.checkout import Destination, cancel, pay, place
from shop.orders.models import Order
from shop.payments.models import Payment
from shop_facts import GOOD_CARD, SHIP_TO

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 6


def all_at_once(*actions) -> list[str]:
    """Run every action in a thread of its own, started together; return what each ended with."""
    start = Barrier(len(actions))

    def run(action) -> str:
        try:
            start.wait(timeout=10)
            action()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(actions)) as threads:
        return sorted(threads.map(run, actions))


def buying(user, cart, card=GOOD_CARD):
    return lambda: place(user, cart, Destination(**SHIP_TO), card)


@pytest.mark.parametrize("card", [GOOD_CARD, None])
def test_the_last_pieces_are_sold_once(make_user, make_product, fill_cart, card):
    product = make_product(stock=2)
    buyers = [make_user(f"buyer{number}") for number in range(TOGETHER)]
    ends = all_at_once(*(buying(user, fill_cart(user, product), card) for user in buyers))
    assert ends == ["done"] * 2 + ["out_of_stock"] * (TOGETHER - 2)
    assert Order.objects.count() == 2
    assert Stock.objects.get(product=product).available == 0


def test_carts_in_opposite_order_never_block_each_other(make_user, make_product, fill_cart):
    first, second = make_product(stock=100), make_product(stock=100)
    baskets = [(first, second), (second, first)] * 3
    buyers = [make_user(f"buyer{number}") for number in range(len(baskets))]
    ends = all_at_once(
        *(buying(user, fill_cart(user, *basket)) for user, basket in zip(buyers, baskets, strict=True))
    )
    assert ends == ["done"] * len(baskets)
    assert {stock.on_hand for stock in Stock.objects.all()} == {100 - len(baskets)}


def test_one_cart_sent_twice_is_one_order(customer, product, fill_cart):
    cart = fill_cart(customer, product)
    ends = all_at_once(*[buying(customer, cart)] * 3)
    assert ends == ["done", "empty_cart", "empty_cart"]
    assert Order.objects.count() == Payment.objects.count() == 1


def test_an_order_is_either_paid_or_cancelled(customer, product, fill_cart):
    order = place(customer, fill_cart(customer, product), Destination(**SHIP_TO), None)
    ends = all_at_once(*[lambda: pay(order.pk, GOOD_CARD)] * 3, lambda: cancel(order.pk, customer))
    status = Order.objects.get().status
    stock = Stock.objects.get(product=product)
    assert ends.count("done") in (1, 2)  # paid and then cancelled, or cancelled and never paid
    assert (status, stock.on_hand, stock.reserved) == ("cancelled", 10, 0)
    assert not Payment.objects.filter(status="captured").exists()
