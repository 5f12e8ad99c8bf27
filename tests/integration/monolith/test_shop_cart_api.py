"""The cart's API, with and without a login."""

import pytest
from rest_framework.test import APIClient
from shop.cart.models import Cart
from shop_facts import PASSWORD

CART = "/api/cart/"
LINES = "/api/cart/lines/"


def contents(client) -> dict[int, int]:
    lines = client.get(CART).json()["lines"]
    return {line["product"]["id"]: line["quantity"] for line in lines}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"quantity": 1}, "product"),
        ({"product": 0}, "product"),
        ({"product": 1, "quantity": 0}, "quantity"),
        ({"product": 1, "quantity": 100}, "quantity"),
    ],
)
def test_a_line_that_cannot_be_is_refused(api, line, field):
    answer = api.post(LINES, line, format="json")
    assert answer.status_code == 400
    assert field in answer.json()


def test_a_withdrawn_product_is_not_put_in_a_cart(api, make_product):
    hidden = make_product(is_active=False)
    assert api.post(LINES, {"product": hidden.pk}, format="json").status_code == 400


def test_a_cart_holds_one_currency(api, make_product):
    euro, franc = make_product(), make_product(currency="CHF")
    api.post(LINES, {"product": euro.pk}, format="json")
    answer = api.post(LINES, {"product": franc.pk}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "other_currency")


def test_the_cart_of_another_does_not_exist(as_user, customer, stranger, api, product, fill_cart):
    line = fill_cart(customer, product).lines.get()
    for client in (api, as_user(stranger)):
        assert client.patch(f"{LINES}{line.pk}/", {"quantity": 9}, format="json").status_code == 404
        assert client.delete(f"{LINES}{line.pk}/").status_code == 404
        assert contents(client) == {}


def test_looking_at_a_cart_makes_none(api):
    answer = api.get(CART)
    assert answer.json() == {"lines": [], "total": "0.00", "currency": None}
    assert not answer.cookies
    assert not Cart.objects.exists()


def test_an_anonymous_cart_is_filled_changed_and_emptied(api, make_product):
    first, second = make_product(), make_product(price="0.50")
    api.post(LINES, {"product": first.pk}, format="json")
    answer = api.post(LINES, {"product": first.pk, "quantity": 2}, format="json")
    assert answer.status_code == 201
    api.post(LINES, {"product": second.pk}, format="json")
    assert contents(api) == {first.pk: 3, second.pk: 1}
    cart = api.get(CART).json()
    assert (cart["total"], cart["currency"]) == ("30.20", "EUR")
    line = cart["lines"][0]["id"]
    assert api.patch(f"{LINES}{line}/", {"quantity": 5}, format="json").json()["total"] == "49.50"
    assert api.patch(f"{LINES}{line}/", {"quantity": 0}, format="json").status_code == 400
    assert api.delete(f"{LINES}{line}/").status_code == 204
    assert contents(api) == {second.pk: 1}
    assert api.delete(CART).status_code == 204
    assert contents(api) == {}


def test_a_line_never_grows_past_ninety_nine(api, product):
    for _ in range(3):
        api.post(LINES, {"product": product.pk, "quantity": 50}, format="json")
    assert contents(api) == {product.pk: 99}


def test_visitors_do_not_share_a_cart(api, product):
    api.post(LINES, {"product": product.pk}, format="json")
    assert contents(APIClient()) == {}


def test_signing_in_keeps_what_was_chosen_before(api, customer, make_product, fill_cart):
    both, before, own = make_product(), make_product(), make_product()
    fill_cart(customer, both, own, quantity=2)
    api.post(LINES, {"product": both.pk, "quantity": 3}, format="json")
    api.post(LINES, {"product": before.pk}, format="json")
    api.post("/api/accounts/login/", {"username": "ada", "password": PASSWORD}, format="json")
    assert contents(api) == {both.pk: 3, own.pk: 2, before.pk: 1}
    assert Cart.objects.count() == 1
    api.post("/api/accounts/logout/")
    assert contents(api) == {}
