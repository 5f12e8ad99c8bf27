"""What the shop does when the catalog's service tells it something: each thing once."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import path
from django.utils import timezone
from shop import urls
from shop.cart.models import CartLine
from shop.catalog.models import Product
from shop.inventory.models import Stock

from strangler.django.events.endpoint import Receive
from strangler.django.events.models import Heard
from strangler.django.events.receiving import KEPT, Later, Malformed, read_event, receive, receives

PATH = "/__strangler__/events"
KEY = "k" * 40


@dataclass(frozen=True)
class Urls:
    """The shop's addresses, with a door that this key opens before them."""

    key: str

    @property
    def urlpatterns(self) -> list:
        return [path(PATH[1:], Receive(self.key)), *urls.urlpatterns]


@pytest.fixture(autouse=True)
def keyed(settings):
    settings.ROOT_URLCONF = Urls(KEY)


def told(kind: str, product: int, **changed: object) -> dict:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/catalog",
        "type": f"catalog.product.{kind}",
        "subject": f"products/{product}",
        "time": "2026-01-02T03:04:05Z",
        "datacontenttype": "application/json",
        "data": {"id": product},
    } | changed


def tell(event: object, key: str = KEY, method: str = "POST"):
    body = event if isinstance(event, bytes) else json.dumps(event)
    return Client().generic(
        method, PATH, body, "application/cloudevents+json", headers={"X-Strangler-Peer-Key": key}
    )


@pytest.mark.parametrize(("key", "method"), [("", "POST"), ("wrong", "POST"), (KEY, "GET"), (KEY, "PUT")])
def test_nobody_without_the_key_finds_the_door(db, key, method):
    assert tell(told("created", 1), key, method).status_code == 404


def test_without_a_key_of_its_own_the_door_is_not_there(db, settings):
    settings.ROOT_URLCONF = Urls("")
    assert tell(told("created", 1), "").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'"x"',
        json.dumps(told("created", 1, data=[1])).encode(),
        json.dumps({name: value for name, value in told("created", 1).items() if name != "id"}).encode(),
        json.dumps({name: value for name, value in told("created", 1).items() if name != "subject"}).encode(),
    ],
)
def test_what_is_no_event_is_refused_for_good(db, body):
    answer = tell(body)
    assert answer.status_code == 400
    assert Heard.objects.count() == 0
    with pytest.raises(Malformed):
        read_event(body)


def test_a_new_product_of_the_service_has_a_stock_row_once(product):
    Stock.objects.all().delete()
    event = told("created", product.pk)
    assert [tell(event).status_code for _ in range(3)] == [204] * 3
    assert Stock.objects.get().product_id == product.pk
    assert Heard.objects.count() == 1


def test_an_event_before_its_product_is_to_come_again_and_leaves_nothing(make_product):
    event = told("created", 77)
    answer = tell(event)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert Heard.objects.count() == 0
    make_product(pk=77)
    assert tell(event).status_code == 204


def test_a_deleted_product_leaves_stock_and_carts(product, customer, fill_cart):
    fill_cart(customer, product)
    assert tell(told("deleted", product.pk)).status_code == 204
    assert (Stock.objects.count(), CartLine.objects.count()) == (0, 0)


def test_a_creation_heard_after_the_deletion_makes_nothing(db):
    assert tell(told("deleted", 5)).status_code == 204
    assert tell(told("created", 5)).status_code == 204
    assert Stock.objects.count() == 0


def test_an_event_nobody_wants_is_heard_all_the_same(db):
    assert tell(told("x", 1, type="catalog.shelf.painted")).status_code == 204
    assert Heard.objects.get().type == "catalog.shelf.painted"


def test_what_a_failing_receiver_did_is_undone_with_the_note(db):
    @receives("test.fails")
    def fail(event):
        Product.objects.update(name="half done")
        raise Later("not yet")

    with pytest.raises(Later):
        receive(read_event(json.dumps(told("x", 1, type="test.fails")).encode()))
    assert Heard.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_copies_that_come_together_do_the_thing_once(product):
    Stock.objects.all().delete()
    event = read_event(json.dumps(told("created", product.pk)).encode())

    def hear(_: int) -> bool:
        try:
            return receive(event)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(hear, range(4))) == [False, False, False, True]
    assert Stock.objects.count() == 1


def test_old_notes_are_forgotten_a_few_at_a_time(db):
    Heard.objects.bulk_create(Heard(source="/x", uid=str(n), type="t", subject="s") for n in range(15))
    Heard.objects.update(at=timezone.now() - KEPT - timedelta(days=1))
    tell(told("x", 1, type="t"))
    assert Heard.objects.count() == 6
