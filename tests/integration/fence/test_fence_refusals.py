"""What a Django project answers when a table that it writes moved to a service."""

import logging
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import writing_urls
from django.contrib.admin.models import LogEntry
from django.core.checks import run_checks
from django.db import connection, connections, transaction
from django.test import Client
from shop.accounts.models import User
from shop.cart.models import Cart
from shop.catalog.models import Category, Product
from shop.management.commands.seed import Command as Seed
from shop.pages.models import Tag

from strangler.django.moved import TableMoved

JSON = "application/json"


def post(client: Client, name: str):
    return client.post(f"/writing/{name}/")


def moved(response) -> str:
    """Return what a 409 says of its effect."""
    assert response.status_code == 409, response
    group, epoch, effect = response["X-Strangler-Moved"].split("; ")
    assert (group, epoch) == ("catalog", "epoch=3")
    return effect.removeprefix("effect=")


def tags() -> set[str]:
    return set(Tag.objects.values_list("slug", flat=True))


# --- effect=none is true -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "refused",
        "rolled_back",
        "got_or_created",
        "taken_for_a_duplicate",
        "swallowed",
        "swallowed_by_sql",
        "swallowed_beside_reading",
        "gave_up_before",
        "read_before",
        "in_the_session",
        "streamed",
    ],
)
def test_a_refused_request_leaves_nothing_behind_and_says_so(fenced, client, name):
    assert moved(post(client, name)) == "none"
    assert tags() == set()
    assert writing_urls.RAN == []
    assert list(Category.objects.values_list("slug", flat=True)) == ["cups"]


@pytest.mark.parametrize("name", ["kept_a_transaction", "kept_a_statement", "rolled_back"])
def test_a_request_that_is_one_transaction_leaves_nothing_behind(fenced, client, monkeypatch, name):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert moved(post(client, name)) == "none"
    assert tags() == set()


@pytest.mark.parametrize("sliding", [False, True])
def test_a_refused_request_changes_no_session(fenced, client, settings, sliding):
    settings.SESSION_SAVE_EVERY_REQUEST = sliding
    client.force_login(User.objects.create_user("ada"))
    before = dict(client.session)
    answer = post(client, "in_the_session")
    assert moved(answer) == "none"
    assert dict(client.session) == before
    assert "sessionid" not in answer.cookies


# --- effect=none is never claimed where something was kept -------------------------------------------------


@pytest.mark.parametrize("name", ["kept_a_transaction", "kept_a_statement", "kept_by_sql"])
def test_what_was_kept_before_the_refusal_is_admitted(fenced, client, name):
    assert moved(post(client, name)) == "unknown"
    assert tags() == {"kept"}


def test_a_hook_that_ran_may_have_done_anything(fenced, client):
    assert moved(post(client, "ran_a_hook")) == "unknown"
    assert writing_urls.RAN == ["before a refusal"]


# --- who is told what --------------------------------------------------------------------------------------


def test_a_program_reads_the_owner_in_json(fenced, client):
    answer = post(client, "swallowed")
    assert answer["Content-Type"] == JSON
    assert answer.json() == {
        "detail": "The table catalog_category moved to service catalog at epoch 3: it is written there, and"
        " this database refuses. Nothing of this request was kept; sent to the service it can succeed.",
        "code": "moved",
    }
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["Cache-Control"] == "no-store"


def test_a_browser_reads_the_owner_on_a_page(fenced, boss):
    product = Product.objects.get()
    form = boss.get(f"/admin/catalog/product/{product.pk}/change/").context["adminform"].form
    fields = {name: value for name, value in form.initial.items() if value is not None}
    inlines = {
        f"{prefix}-{field}": 0
        for prefix in ("images", "related_links")
        for field in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    answer = boss.post(
        f"/admin/catalog/product/{product.pk}/change/", fields | inlines | {"attributes": "{}", "price": "1"}
    )
    assert moved(answer) == "none"
    assert answer["Content-Type"].startswith("text/html")
    assert "table catalog_product moved to service catalog at epoch 3" in answer.text
    assert not LogEntry.objects.exists()
    assert Product.objects.get().price == Decimal("9.90")


def test_a_bulk_action_of_the_admin_says_who_owns_the_table(fenced, boss):
    form = {"action": "deactivate", "_selected_action": [Product.objects.get().pk]}
    answer = boss.post("/admin/catalog/product/", form)
    assert moved(answer) == "none"
    assert "catalog_product moved" in answer.text
    assert Product.objects.get().is_active


def test_a_command_ends_with_one_line_that_names_the_owner(fenced, capsys):
    with pytest.raises(SystemExit) as ended:
        Seed().run_from_argv(["manage.py", "seed", "--fresh", "--products", "1", "--orders", "0"])
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("TableMoved: table catalog_")
    assert "moved to service catalog at epoch 3" in line
    assert Product.objects.exists()


def test_the_answer_keeps_the_headers_that_other_middleware_gives(fenced, client):
    answer = post(client, "refused")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_every_refusal_is_logged_with_its_effect(fenced, client, caplog):
    caplog.set_level(logging.WARNING, "strangler.django")
    post(client, "swallowed")
    (record,) = [record for record in caplog.records if record.name == "strangler.django"]
    assert record.getMessage() == (
        "POST /writing/swallowed/: the table catalog_category moved to service catalog at epoch 3:"
        " it is written there, and this database refuses (effect=none, refusals=1)"
    )


# --- and everything else goes on ---------------------------------------------------------------------------


def test_readers_and_writers_of_other_tables_notice_nothing(fenced, client):
    assert client.get("/api/products/").json()["count"] == 1
    assert post(client, "quiet").status_code == 200
    assert post(client, "in_a_cart").status_code == 200
    assert (tags(), Cart.objects.count()) == ({"quiet"}, 1)


def test_the_next_request_of_the_same_connection_is_free(fenced, client):
    assert moved(post(client, "swallowed_by_sql")) == "none"
    assert post(client, "quiet").status_code == 200
    assert tags() == {"quiet"}


def test_a_refusal_is_blamed_on_its_own_request_alone(fenced):
    def send(name: str) -> int:
        try:
            return post(Client(), name).status_code
        finally:
            connections.close_all()

    names = ["swallowed", "in_a_cart"] * 8
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(send, names)) == [409, 200] * 8


def test_a_duplicate_is_still_what_it_was(shop, client):
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert post(client, "quiet").status_code == 200
    with pytest.raises(Exception, match=r"(?i)unique"):
        post(client, "quiet")


def test_an_update_of_no_row_is_refused_where_the_engine_can(fenced):
    nothing = Product.objects.filter(pk=0)
    if connection.vendor == "sqlite":  # which has triggers for rows, and none for statements
        assert nothing.update(is_active=False) == 0
    else:
        with pytest.raises(TableMoved):
            nothing.update(is_active=False)


def test_outside_of_requests_a_command_may_catch_the_refusal_and_go_on(fenced):
    with transaction.atomic():
        with pytest.raises(TableMoved), transaction.atomic():
            writing_urls.new_category()
        Tag.objects.create(name="went on", slug="went-on")
    assert tags() == {"went-on"}


# --- installing it ----------------------------------------------------------------------------------------


def test_a_project_that_forgets_the_middleware_is_told_at_start(settings):
    names = settings.MIDDLEWARE
    assert not [found for found in run_checks() if found.id.startswith("strangler")]
    settings.MIDDLEWARE = names[1:]
    assert [found.id for found in run_checks()] == ["strangler.W001"]
    settings.MIDDLEWARE = [*names[1:], names[0]]
    assert [found.id for found in run_checks()] == ["strangler.W002"]
