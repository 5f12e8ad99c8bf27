"""What the shop tells a service that wants to delete a row: who still refers to it."""

import pytest
from django.test import RequestFactory
from django.urls import path
from shop import urls
from shop.accounts.models import User
from shop.catalog.models import Category, Product
from shop.orders.models import Order

from strangler.django.references import References
from strangler.django.urls import REFERENCES

KEY = "the-key"


class Urls:
    """The shop's addresses, with a door that the key opens before them."""

    urlpatterns = [path(REFERENCES, References(KEY)), *urls.urlpatterns]


@pytest.fixture(autouse=True)
def keyed(settings, db):
    settings.ROOT_URLCONF = Urls()


@pytest.fixture
def product() -> Product:
    shelf = Category.objects.create(name="Cups", slug="cups")
    return Product.objects.create(sku="S", name="Cup", slug="cup", category=shelf, price="1")


def ask(client, table: str, key: object, own: str = "catalog_product", given: str = KEY):
    return client.get(
        f"/__strangler__/references/{table}/{key}", {"own": own}, headers={"X-Strangler-Peer-Key": given}
    )


def order(product: Product) -> None:
    user = User.objects.create_user("ada")
    made = Order.objects.create(user=user, status="paid", currency="EUR", total="1")
    made.lines.create(product=product, sku="S", name="Cup", unit_price="1", quantity=1)


@pytest.mark.parametrize("given", ["", "wrong", KEY + "x"])
def test_nobody_without_the_key_finds_the_door(client, product, given):
    assert ask(client, "catalog_product", product.pk, given=given).status_code == 404


def test_without_a_key_of_its_own_the_door_is_not_there(rf: RequestFactory, product):
    from django.http import Http404

    with pytest.raises(Http404):
        References("")(rf.get("/", headers={"X-Strangler-Peer-Key": ""}), "catalog_product", "1")


def test_what_is_no_table_or_no_key_is_not_found(client, product):
    assert ask(client, "no_such_table", 1).status_code == 404
    assert ask(client, "catalog_product", "x").status_code == 404


def test_a_product_that_was_ordered_is_protected(client, product):
    assert ask(client, "catalog_product", product.pk).json() == {"protectors": []}
    order(product)
    assert ask(client, "catalog_product", product.pk).json() == {"protectors": ["orders.OrderLine"]}


def test_tables_of_the_service_itself_are_not_looked_into(client, product):
    shelf = product.category_id
    assert ask(client, "catalog_category", shelf, "catalog_category,catalog_product").json() == {
        "protectors": []
    }
    assert ask(client, "catalog_category", shelf, "catalog_category").json() == {
        "protectors": ["catalog.Product"]
    }


def test_what_cascades_protects_nothing(client, product):
    assert hasattr(product, "stock")
    assert ask(client, "catalog_product", product.pk).json() == {"protectors": []}
