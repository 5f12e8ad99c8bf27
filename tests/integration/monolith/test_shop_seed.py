"""The seed command: any size, repeatable by seed, all or nothing."""

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from shop.accounts.models import User
from shop.catalog.models import Product
from shop.inventory.models import Stock
from shop.nightly import refresh_ratings
from shop.orders.models import Order

pytestmark = pytest.mark.django_db
SHOP = ("accounts", "catalog", "inventory", "cart", "orders", "payments", "pages")


def seed(*extra: str, products: int = 60, orders: int = 40) -> None:
    call_command("seed", "--products", str(products), "--orders", str(orders), *extra)


def everything() -> dict[str, list[tuple]]:
    """Every row of the shop as the database holds it."""
    models = [
        model for name in SHOP for model in apps.get_app_config(name).get_models(include_auto_created=True)
    ]
    return {model._meta.label: list(model.objects.order_by("pk").values_list()) for model in models}


def test_a_database_with_products_is_left_alone(product, customer):
    with pytest.raises(CommandError, match="already has 1 users, 1 categories, 1 products, 1 stock"):
        seed()
    assert Product.objects.get() == product


@pytest.mark.parametrize("size", [{"products": 0}, {"orders": -1}])
def test_an_impossible_size_is_refused(size):
    with pytest.raises(CommandError, match="must be at least"):
        seed(**size)


@pytest.mark.django_db(transaction=True)
def test_the_same_seed_fills_the_database_bit_for_bit(product):
    seed("--fresh", "--seed", "5")
    first = everything()
    seed("--fresh", "--seed", "5")
    assert everything() == first
    seed("--fresh", "--seed", "6")
    assert everything()["catalog.Product"] != first["catalog.Product"]


def test_the_shop_goes_on_numbering_after_the_seed():
    seed()
    category = Product.objects.first().category
    new = Product.objects.create(sku="new", name="New", slug="new", category=category, price=1)
    assert min(new.pk, new.stock.pk) > 60


def test_known_people_can_log_in(client):
    seed()
    for name in ("customer1", "customer10", "staff1", "support1"):
        assert client.login(username=name, password="strangler"), name
    assert User.objects.get(username="staff1").is_staff
    assert User.objects.get(username="support1").has_perm("orders.view_order")


def test_seeded_books_balance():
    seed(orders=200)
    assert refresh_ratings() == 0
    for stock in Stock.objects.prefetch_related("reservations"):
        assert stock.reserved == sum(held.quantity for held in stock.reservations.all())
    for order in Order.objects.prefetch_related("lines", "history", "payments"):
        assert order.total == sum(line.total for line in order.lines.all())
        assert order.history.last().status == order.status
        assert sum(payment.amount for payment in order.payments.all()) in (0, order.total)


def test_every_reference_of_a_seeded_shop_holds():
    seed()
    connection.check_constraints()


def test_every_page_of_a_seeded_shop_opens(client):
    seed(orders=100)
    for path in (
        "/",
        "/bestsellers/",
        *(f"/products/{product.slug}/" for product in Product.objects.filter(is_active=True)[:20]),
    ):
        assert client.get(path).status_code == 200, path
    assert "sold" in client.get("/bestsellers/").text
