"""Orders, payments and stock over HTTP: every role sees and does just what it may."""

import pytest
from shop.inventory.models import Stock
from shop.orders.checkout import Destination, place
from shop.orders.models import Order, OrderStatusHistory
from shop.payments.models import Payment
from shop_facts import GOOD_CARD, SHIP_TO


@pytest.fixture
def make_order(customer, product, fill_cart):
    def make(card: str | None = GOOD_CARD, **more: int) -> Order:
        return place(customer, fill_cart(customer, product, **more), Destination(**SHIP_TO), card)

    return make


def test_anonymous_visitors_see_no_order(api, make_order):
    order = make_order()
    for path in ("/api/orders/", f"/api/orders/{order.pk}/", f"/api/payments/{order.pk}/"):
        assert api.get(path).status_code == 403


def test_customers_see_their_own_orders_alone(as_user, customer, stranger, make_order):
    order = make_order()
    assert as_user(customer).get("/api/orders/").json()["count"] == 1
    assert as_user(stranger).get("/api/orders/").json()["count"] == 0
    for path in (f"/api/orders/{order.pk}/", f"/api/payments/{order.pk}/"):
        assert as_user(customer).get(path).status_code == 200
        assert as_user(stranger).get(path).status_code == 404
    assert as_user(stranger).post(f"/api/orders/{order.pk}/cancel/").status_code == 404
    assert as_user(stranger).post(f"/api/payments/{order.pk}/", {}, format="json").status_code == 404


def test_support_reads_every_order_and_changes_none(as_user, support, make_order):
    order = make_order(card=None)
    client = as_user(support)
    assert client.get("/api/orders/").json()["count"] == 1
    assert client.get(f"/api/orders/{order.pk}/").status_code == 200
    assert client.get(f"/api/payments/{order.pk}/").json() == []
    assert client.post(f"/api/orders/{order.pk}/cancel/").status_code == 403
    assert client.post(f"/api/payments/{order.pk}/", {}, format="json").status_code == 404
    assert client.patch(f"/api/stock/{order.lines.get().product_id}/", {}, format="json").status_code == 403


def test_staff_reads_and_cancels_every_order(as_user, staff, make_order):
    order = make_order()
    answer = as_user(staff).post(f"/api/orders/{order.pk}/cancel/")
    assert answer.json()["status"] == "cancelled"
    assert OrderStatusHistory.objects.last().changed_by == staff


@pytest.mark.parametrize("card", [GOOD_CARD, None])
def test_cancelling_gives_back_stock_and_money(as_user, customer, product, make_order, card):
    order = make_order(card=card, quantity=4)
    answer = as_user(customer).post(f"/api/orders/{order.pk}/cancel/")
    assert [entry["status"] for entry in answer.json()["history"]][-1] == "cancelled"
    stock = Stock.objects.get(product=product)
    assert (stock.on_hand, stock.reserved) == (10, 0)
    assert not Payment.objects.filter(status="captured").exists()


def test_a_refund_that_fails_cancels_nothing(as_user, customer, product, make_order, settings):
    order = make_order()
    settings.PAYMENTS_FAILURE = "timeout"
    assert as_user(customer).post(f"/api/orders/{order.pk}/cancel/").status_code == 503
    assert Order.objects.get().status == "paid"
    assert Stock.objects.get(product=product).on_hand == 9
    assert Payment.objects.get().status == "captured"


@pytest.mark.parametrize("status", ["shipped", "cancelled"])
def test_an_order_that_came_too_far_is_not_cancelled(as_user, customer, make_order, status):
    order = make_order()
    Order.objects.update(status=status)
    answer = as_user(customer).post(f"/api/orders/{order.pk}/cancel/")
    assert answer.status_code == 409
    assert answer.json()["detail"] == f"The order is {status}; it cannot be cancelled."


def test_orders_are_filtered_by_status(as_user, customer, make_order):
    paid, waiting = make_order(), make_order(card=None)
    found = as_user(customer).get("/api/orders/?status=paid").json()["results"]
    assert [order["id"] for order in found] == [paid.pk]
    assert [order["id"] for order in as_user(customer).get("/api/orders/").json()["results"]] == [
        waiting.pk,
        paid.pk,
    ]
    assert as_user(customer).get("/api/orders/?status=lost").status_code == 400


def test_a_card_number_is_stored_nowhere(as_user, customer, make_order):
    order = make_order()
    [payment] = as_user(customer).get(f"/api/payments/{order.pk}/").json()
    assert payment["card_ending"] == "4242"
    assert GOOD_CARD not in str(list(Payment.objects.values()) + list(Order.objects.values()))


# --- stock


def test_a_new_product_gets_a_stock_row_by_itself(as_user, staff, api, category):
    body = {"sku": "X", "name": "X", "slug": "x", "price": "1.00", "category_id": category.pk}
    made = as_user(staff).post("/api/products/", body, format="json").json()
    stock = api.get(f"/api/stock/{made['id']}/").json()
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (0, 0, 0)


def test_staff_counts_stock_and_nobody_else_does(as_user, staff, customer, api, product):
    path = f"/api/stock/{product.pk}/"
    for client in (api, as_user(customer)):
        assert client.patch(path, {"on_hand": 1}, format="json").status_code == 403
    answer = as_user(staff).patch(path, {"on_hand": 42, "reserved": 9}, format="json")
    assert (answer.json()["on_hand"], answer.json()["reserved"]) == (42, 0)
    assert as_user(staff).put(path, {}, format="json").json() == {"on_hand": ["This field is required."]}


def test_stock_is_never_counted_below_what_is_held(as_user, staff, product, make_order):
    make_order(card=None, quantity=3)
    answer = as_user(staff).patch(f"/api/stock/{product.pk}/", {"on_hand": 2}, format="json")
    assert answer.json() == {"on_hand": ["3 are held back for orders."]}


def test_stock_of_a_withdrawn_product_is_for_staff_to_write(api, as_user, staff, make_product):
    hidden = make_product(is_active=False)
    assert api.get(f"/api/stock/{hidden.pk}/").status_code == 404
    for nothing in ("0", "x", "9" * 18, "9" * 30):
        assert api.get(f"/api/stock/{nothing}/").status_code == 404
    patched = as_user(staff).patch(f"/api/stock/{hidden.pk}/", {"on_hand": 1}, format="json")
    assert patched.status_code == 200


def test_options_names_what_staff_may_write(as_user, staff, product):
    actions = as_user(staff).options(f"/api/stock/{product.pk}/").json()["actions"]
    assert actions["PUT"]["on_hand"]["required"] is True
