"""Whoever writes a table of the monolith is noted by name, before a fence would refuse it."""

from django.core.management import call_command
from django.db import connection, transaction
from shop.catalog.models import Category, Product, Review

from tests.fences import noted


def seen() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        return noted(connection.vendor, cursor)


def test_the_nightly_command_is_found(looked_for):
    Review.objects.create(product=Product.objects.get(), author_name="ada", rating=5, title="t")
    call_command("nightly")
    assert ("command nightly", "catalog_product") in seen()


def test_the_bulk_action_of_the_admin_is_found(looked_for, boss):
    chosen = {"action": "deactivate", "_selected_action": [Product.objects.get().pk]}
    boss.post("/admin/catalog/product/", chosen)
    assert not Product.objects.get().is_active
    assert seen() == {("admin catalog_product_changelist deactivate", "catalog_product")}


def test_a_request_is_found_by_method_and_path_without_its_values(looked_for, boss):
    product = Product.objects.get()
    boss.patch(f"/api/products/{product.pk}/", {"name": "Mug"}, content_type="application/json")
    assert Product.objects.get().name == "Mug"
    ((name, table),) = seen()
    assert name.startswith("request PATCH /api/products/{")
    assert (table, str(product.pk) in name) == ("catalog_product", False)


def test_a_program_without_command_or_request_is_found(looked_for):
    Category.objects.create(name="Plates", slug="plates")
    ((name, table),) = seen()
    assert (name.split()[0], table) == ("program", "catalog_category")


def test_whoever_only_reads_or_rolls_back_is_not_noted(looked_for):
    assert Product.objects.count() == 1
    with transaction.atomic():
        Category.objects.create(name="Plates", slug="plates")
        transaction.set_rollback(True)
    assert seen() == set()


def test_a_write_after_a_savepoint_that_was_rolled_back_is_noted_by_name(looked_for, boss):
    with transaction.atomic():
        with transaction.atomic():
            Category.objects.create(name="Plates", slug="plates")
            transaction.set_rollback(True)
        Category.objects.create(name="Bowls", slug="bowls")
    assert {name.split()[0] for name, _ in seen()} == {"program"}


def test_a_connection_does_not_lend_its_name_to_others(looked_for):
    call_command("nightly")
    connection.connection.execute("UPDATE catalog_product SET name = 'x'")  # past Django
    ((name, table),) = seen()
    assert (name.split()[0], table) == ("somebody", "catalog_product")
