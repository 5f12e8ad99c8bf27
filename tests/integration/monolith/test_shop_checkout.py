"""Checkout is one transaction over orders, inventory and payments: all of it happens or none of it."""

import pytest
from shop.cart.models import Cart
from shop.inventory.models import Reservation, Stock
from shop.orders.models import Order, OrderStatusHistory
from shop.payments.models import Payment
from shop_facts import BROKEN_CARD, DECLINED_CARD, GOOD_CARD, SHIP_TO

ORDERS = "/api/orders/"


@pytest.fixture
def client(as_user, customer):
    return as_user(customer)


def check_out(client, **more):
    return client.post(ORDERS, {"ship_to": SHIP_TO} | more, format="json")


def assert_nothing_happened(product, in_cart: int = 1, on_hand: int = 10) -> None:
    assert not Order.objects.exists()
    assert not Payment.objects.exists()
    assert not Reservation.objects.exists()
    assert not OrderStatusHistory.objects.exists()
    stock = Stock.objects.get(product=product)
    assert (stock.on_hand, stock.reserved) == (on_hand, 0)
    assert Cart.objects.get().lines.count() == in_cart


# --- refusals


def test_anonymous_visitors_never_order(api):
    assert check_out(api).status_code == 403


@pytest.mark.parametrize(
    ("card", "status", "code"), [(DECLINED_CARD, 402, "declined"), (BROKEN_CARD, 503, "unavailable")]
)
def test_a_failed_payment_leaves_everything_as_it_was(
    client, customer, product, fill_cart, card, status, code
):
    fill_cart(customer, product)
    answer = check_out(client, card_number=card)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert_nothing_happened(product)


def test_an_open_breaker_answers_503_and_when_to_retry(client, customer, product, fill_cart):
    fill_cart(customer, product)
    for _ in range(5):
        check_out(client, card_number=BROKEN_CARD)
    answer = check_out(client, card_number=GOOD_CARD)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert_nothing_happened(product)


def test_more_than_the_stock_is_never_sold(client, customer, make_product, fill_cart):
    plenty, scarce = make_product(), make_product(stock=1, name="Last cup")
    fill_cart(customer, plenty, scarce, quantity=2)
    for extra in ({}, {"card_number": GOOD_CARD}):
        answer = check_out(client, **extra)
        assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
        assert answer.json()["detail"] == "Not enough in stock: Last cup (1 left)."
        assert_nothing_happened(plenty, in_cart=2)


def test_an_empty_cart_is_no_order(client):
    answer = check_out(client)
    assert (answer.status_code, answer.json()["code"]) == (400, "empty_cart")


def test_a_product_withdrawn_meanwhile_is_not_sold(client, customer, product, fill_cart):
    fill_cart(customer, product)
    product.is_active = False
    product.save()
    assert check_out(client).json()["code"] == "not_for_sale"


def test_two_currencies_are_no_order(client, customer, make_product, fill_cart):
    fill_cart(customer, make_product(), make_product(currency="CHF"))
    answer = check_out(client)
    assert (answer.status_code, answer.json()["code"]) == (409, "other_currency")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"ship_to": SHIP_TO | {"country": "Germany"}}, "ship_to"),
        ({"ship_to": {}}, "ship_to"),
        ({"ship_to": SHIP_TO, "card_number": "12"}, "card_number"),
        ({"address": 99}, "address"),
    ],
)
def test_an_incomplete_checkout_is_refused_by_field(client, body, field):
    answer = client.post(ORDERS, body, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_nothing_is_sent_to_the_address_of_another(client, stranger):
    foreign = stranger.addresses.create(**SHIP_TO)
    answer = client.post(ORDERS, {"address": foreign.pk}, format="json")
    assert list(answer.json()) == ["address"]


def test_checkout_is_throttled_and_reading_orders_is_not(client):
    answers = [check_out(client).status_code for _ in range(61)]
    assert answers[59:] == [400, 429]
    assert client.get(ORDERS).status_code == 200


# --- what happens


def test_a_paid_order_takes_the_stock_and_empties_the_cart(client, customer, product, fill_cart):
    fill_cart(customer, product, quantity=3)
    answer = check_out(client, card_number=GOOD_CARD)
    assert answer.status_code == 201
    order = answer.json()
    assert (order["status"], order["total"], order["currency"]) == ("paid", "29.70", "EUR")
    assert order["ship_to"] == SHIP_TO
    assert [entry["status"] for entry in order["history"]] == ["paid"]
    stock = Stock.objects.get(product=product)
    assert (stock.on_hand, stock.reserved) == (7, 0)
    assert not Cart.objects.get(user=customer).lines.exists()
    payment = Payment.objects.get()
    assert (payment.amount, payment.card_ending) == (Order.objects.get().total, "4242")


def test_an_order_keeps_the_price_and_name_of_its_day(client, customer, product, fill_cart):
    fill_cart(customer, product)
    path = f"{ORDERS}{check_out(client).json()['id']}/"
    product.price, product.name = 99, "Renamed"
    product.save()
    [line] = client.get(path).json()["lines"]
    assert (line["unit_price"], line["name"], line["sku"]) == ("9.90", "Cup 1", "S-1")


def test_an_open_order_holds_the_stock_until_it_is_paid(client, customer, product, fill_cart):
    fill_cart(customer, product, quantity=4)
    order = check_out(client).json()
    assert order["status"] == "awaiting_payment"
    assert client.get(f"/api/stock/{product.pk}/").json()["available"] == 6
    paid = client.post(f"/api/payments/{order['id']}/", {"card_number": GOOD_CARD}, format="json")
    assert paid.status_code == 201
    stock = Stock.objects.get(product=product)
    assert (stock.on_hand, stock.reserved) == (6, 0)
    assert not Reservation.objects.exists()
    assert client.get(f"{ORDERS}{order['id']}/").json()["status"] == "paid"


def test_a_declined_later_payment_keeps_the_stock_held(client, customer, product, fill_cart):
    fill_cart(customer, product)
    order = check_out(client).json()
    path = f"/api/payments/{order['id']}/"
    assert client.post(path, {"card_number": DECLINED_CARD}, format="json").status_code == 402
    assert Reservation.objects.count() == 1
    assert Stock.objects.get(product=product).reserved == 1
    assert client.post(path, {"card_number": GOOD_CARD}, format="json").status_code == 201


def test_an_order_is_paid_once(client, customer, product, fill_cart):
    fill_cart(customer, product)
    order = check_out(client, card_number=GOOD_CARD).json()
    answer = client.post(f"/api/payments/{order['id']}/", {"card_number": GOOD_CARD}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
    assert Payment.objects.count() == 1


def test_an_address_of_ones_own_is_copied(client, customer, product, fill_cart):
    fill_cart(customer, product)
    address = customer.addresses.create(**SHIP_TO)
    order = client.post(ORDERS, {"address": address.pk}, format="json").json()
    address.delete()
    assert client.get(f"{ORDERS}{order['id']}/").json()["ship_to"] == SHIP_TO


def test_a_sold_product_is_never_deleted(client, as_user, staff, customer, product, fill_cart):
    fill_cart(customer, product)
    check_out(client)
    assert as_user(staff).delete(f"/api/products/{product.pk}/").status_code == 409
