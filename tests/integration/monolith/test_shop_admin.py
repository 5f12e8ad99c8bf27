"""The admin: every list and form opens, and its actions do what they say."""

import pytest
from django.contrib import admin
from django.test import Client
from shop.catalog.models import Product
from shop.orders.checkout import Destination, place
from shop.orders.models import Order
from shop_facts import GOOD_CARD, SHIP_TO

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(make_user) -> Client:
    signed_in = Client()
    signed_in.force_login(make_user("boss", is_staff=True, is_superuser=True))
    return signed_in


def test_customers_never_enter_the_admin(client, customer):
    client.force_login(customer)
    assert client.get("/admin/").status_code == 302


def test_every_list_and_form_of_the_admin_opens(boss, customer, product, fill_cart):
    place(customer, fill_cart(customer, product), Destination(**SHIP_TO), GOOD_CARD)
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert boss.get(path).status_code == 200, path
        entry = model.objects.first()
        if entry:
            assert boss.get(f"{path}{entry.pk}/change/").status_code == 200, path


def test_taking_products_off_sale_leaves_updated_at_alone(boss, make_product):
    first, second, kept = make_product(), make_product(), make_product()
    form = {"action": "deactivate", "_selected_action": [first.pk, second.pk]}
    page = boss.post("/admin/catalog/product/", form, follow=True)
    assert "2 products are off sale." in page.text
    assert list(Product.objects.filter(is_active=True)) == [kept]
    assert Product.objects.get(pk=first.pk).updated_at == first.updated_at


def test_only_paid_orders_are_shipped(boss, customer, product, fill_cart):
    for card in (GOOD_CARD, None):
        place(customer, fill_cart(customer, product), Destination(**SHIP_TO), card)
    form = {"action": "ship", "_selected_action": list(Order.objects.values_list("pk", flat=True))}
    assert "1 orders are shipped." in boss.post("/admin/orders/order/", form, follow=True).text
    assert sorted(Order.objects.values_list("status", flat=True)) == ["awaiting_payment", "shipped"]
    assert Order.objects.get(status="shipped").history.last().changed_by.username == "boss"
