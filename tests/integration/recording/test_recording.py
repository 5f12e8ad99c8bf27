"""What a monolith tells the proxy of the rows that a request changed."""

import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from recordings import EFFECTS, effects, log_of, mark
from shop.catalog.models import Category, Product
from shop.pages.models import Tag

from strangler.django.middleware import FenceMiddleware
from strangler.django.recording import recorder


def told(response) -> list[tuple[str, str]]:
    return [(row["op"], row["table"].removeprefix("catalog_")) for row in effects(response)["rows"]]


# --- nobody else is told


@pytest.mark.parametrize(
    "proof",
    [
        "nonsense",
        mark("POST", "/recorded/updated/", key="another-key-that-is-long-enough"),
        mark("POST", "/recorded/updated/", until=1),
        mark("POST", "/recorded/updated/", until=99_999_999_999),
        mark("PUT", "/recorded/updated/"),
        mark("POST", "/recorded/deleted/"),
        mark("POST", "/recorded/updated/", purpose="rehearse"),
    ],
    ids=["nonsense", "key", "expired", "forever", "method", "path", "purpose"],
)
def test_without_the_proxys_mark_nothing_is_told_and_the_request_goes_on(captured, ask, proof):
    response = ask("updated", proof)
    assert (response.status_code, EFFECTS in response) == (200, False)
    assert Product.objects.filter(name="Other").exists()


def test_without_a_mark_there_is_not_one_query_more(captured):
    def counted() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            Client().post("/recorded/updated/")
        return [query["sql"] for query in queries]

    assert len(counted()) == 1
    with CaptureQueriesContext(connection) as queries:
        Client().post("/recorded/in_two_transactions/")
    assert [query["sql"].rpartition("*/")[2].split()[0] for query in queries] == [
        "BEGIN",
        "UPDATE",
        "COMMIT",
    ] * 2


def test_a_malformed_key_stops_the_start(monkeypatch):
    monkeypatch.setenv("STRANGLER_REHEARSAL_KEY", "too short")
    with pytest.raises(ImproperlyConfigured, match="STRANGLER_REHEARSAL_KEY"):
        FenceMiddleware(lambda _request: None)


# --- what is told


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("created", [("insert", "product")]),
        ("updated", [("update", "product")]),
        ("deleted", [("delete", "product")]),
        ("saved_as_it_was", []),
        ("by_sql", [("update", "product")]),
        ("in_bulk", [("insert", "product")] * 2 + [("insert", "productimage")] * 3),
        ("inserted_and_updated", [("insert", "category")]),
        ("inserted_and_deleted", []),
        ("updated_and_deleted", [("delete", "product")]),
        ("in_two_transactions", [("update", "product")]),
        ("rolled_back", []),
        ("rolled_back_in_part", [("update", "product")]),
        ("refused_by_the_database", []),
        ("elsewhere", []),
        ("nothing", []),
    ],
)
def test_rows_are_told_whatever_changed_them(captured, ask, name, rows):
    assert told(ask(name)) == rows


def test_a_row_is_told_whole_and_in_the_form_both_sides_give_it(captured, ask):
    (change,) = effects(ask("created"))["rows"]
    product = Product.objects.get(sku="N")
    assert change["key"] == {"id": product.pk}
    row = change["row"]
    assert (row["name"], row["price"], row["is_active"], row["weight_kg"]) == ("Ä", "1.50", True, None)
    assert row["attributes"] == '{"a":"é","b":1}'
    assert row["category_id"] == product.category_id
    assert row["created_at"] == product.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert set(row) == {field.column for field in Product._meta.local_concrete_fields}


def test_the_last_state_of_a_row_is_told(captured, ask):
    (change,) = effects(ask("in_two_transactions"))["rows"]
    assert change["row"]["name"] == "Second"
    (gone,) = effects(ask("deleted"))["rows"]
    assert gone["row"] is None


def test_events_calls_and_mails_are_not_claimed_to_be_none(captured, ask):
    assert set(effects(ask("updated"))) == {"rows", "log"}


def test_where_its_entries_begin_and_how_many_others_wait_is_told(captured, ask):
    Category.objects.update(name="before")
    log = effects(ask("updated"))["log"]
    assert log["pending"] == 1
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"SELECT max(seq) FROM {log_of('catalog_product')}")
            assert log["first"] == {"catalog_product": cursor.fetchone()[0]}
        else:
            cursor.execute(f"SELECT max(strangler_xid::text::bigint) FROM {log_of('catalog_product')}")
            assert log["first"] == cursor.fetchone()[0]
    assert effects(ask("nothing"))["log"]["first"] is None


# --- what is not told, and the request none the worse


def test_a_monolith_that_captures_nothing_says_so(shop, ask):
    response = ask("updated")
    assert response[EFFECTS] == "none;reason=not_captured"
    assert ask("nothing")[EFFECTS] == "none;reason=not_captured"
    assert Product.objects.filter(name="Other").exists()


def test_more_than_a_header_holds_is_said_to_be_too_much(captured, ask):
    assert ask("too_much")[EFFECTS] == "none;reason=too_large"


def test_what_could_not_be_looked_at_before_it_was_kept_is_said_not_to_be_told(captured, ask):
    if connection.vendor == "postgresql":
        assert ask("emptied")[EFFECTS] == "none;reason=not_atomic"
        assert ask("emptied_in_a_transaction")[EFFECTS] == "none;reason=too_large"


def test_a_fault_of_the_recording_never_reaches_the_request(captured, ask, caplog):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {log_of('catalog_category')}")
    with caplog.at_level(logging.WARNING):
        response = ask("updated")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {log_of('catalog_category')} (id bigint)")
    assert response[EFFECTS] == "none;reason=failed"
    assert "effects are not told" in caplog.text
    assert (response.status_code, response.content) == (200, b"done")
    assert Product.objects.filter(name="Other").exists()


def test_a_defect_of_the_view_is_answered_as_ever(captured, ask):
    response = Client(raise_request_exception=False).post(
        "/recorded/defect/", headers={"X-Strangler-Record": mark("POST", "/recorded/defect/")}
    )
    assert response.status_code == 500
    assert effects(response)["rows"] == []


@pytest.mark.parametrize("name", ["created", "updated", "refused_by_the_database", "elsewhere", "in_bulk"])
def test_the_answer_and_the_rows_are_those_of_an_unrecorded_request(captured, ask, name):
    def kept():
        return (
            sorted(Product.objects.values_list("sku", "name")),
            sorted(Category.objects.values_list("name")),
            Tag.objects.count(),
        )

    before = kept()
    recorded = ask(name)
    with_it = kept()
    _undo(before)
    plain = Client().post(f"/recorded/{name}/")
    assert (recorded.status_code, recorded.content) == (plain.status_code, plain.content)
    assert kept() == with_it


def test_no_connection_and_no_transaction_is_left(captured, ask):
    ask("updated")
    assert recorder.current() is None
    assert connection.get_autocommit()
    assert not connection.in_atomic_block


def _undo(before) -> None:
    Product.objects.exclude(sku__in=["S-1", "S-2"]).delete()
    Product.objects.update(name="Cup")
    Tag.objects.all().delete()
