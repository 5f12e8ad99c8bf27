"""The same writes leave the same shop behind, whoever takes them."""

import json
from typing import Any

import pytest

from tests.integration.contract.furniture import ORDERED
from tests.integration.contract.world import Answer, Question, World

# Given by each side itself: ids above the gap, and the moment of the write.
OWN = {"id", "created_at", "updated_at"}
CATEGORY = {"name": "Näw", "slug": "new", "parent": 1, "position": 7}
PRODUCT = {
    "sku": "NEW-1",
    "name": "  Padded  ",
    "slug": "new-product",
    "category_id": 5,
    "price": "12.5",
    "weight_kg": 1.25,
    "attributes": {"z": 1.50, "a": [None, "ü"]},
    "released_on": "2024-2-9",
    "is_active": "yes",
}
REVIEW = {"product": 40, "rating": "4", "title": "Fine", "body": " so \n"}


def masked(value: Any) -> Any:
    """Hide what each side gives itself."""
    if isinstance(value, dict):
        return {name: "own" if name in OWN else masked(entry) for name, entry in value.items()}
    return [masked(entry) for entry in value] if isinstance(value, list) else value


def alike(world: World, question: Question) -> tuple[Answer, Answer]:
    """Assert that both sides answer the same but for their own ids and moments."""
    monolith, catalog = world.both(question)
    assert (catalog.status, catalog.reason) == (monolith.status, monolith.reason), (question, catalog)
    if monolith.body or catalog.body:
        assert masked(json.loads(catalog.body)) == masked(json.loads(monolith.body)), question
        assert list(json.loads(catalog.body)) == list(json.loads(monolith.body))
    for name in (monolith.headers.keys() | catalog.headers.keys()) - {"content-length", "etag"}:
        assert catalog.headers.get(name) == monolith.headers.get(name), (question, name)
    return monolith, catalog


def created(world: World, path: str, who: str, body: dict) -> tuple[str, str]:
    """Create on both sides alike; return the path of each new row."""
    answers = alike(world, Question("POST", path, who, json=body))
    assert answers[0].status == 201
    monolith, catalog = (f"{path}{json.loads(answer.body)['id']}/" for answer in answers)
    return monolith, catalog


def same_rows(world: World) -> None:
    """Assert that every list reads the same on both sides, in its order."""
    for path in ("/api/categories/", "/api/products/", "/api/reviews/"):
        for page in (1, 2, 3):
            alike(world, Question("GET", f"{path}?page={page}"))


def at_both(world: World, paths: tuple[str, str], method: str, who: str, body: Any = None) -> None:
    """Ask each side for its own row and assert that the answers are the same."""
    monolith = world.monolith.ask(Question(method, paths[0], who, json=body))
    catalog = world.catalog.ask(Question(method, paths[1], who, json=body))
    assert catalog.status == monolith.status, (paths, monolith, catalog)
    assert masked(json.loads(catalog.body or b"{}")) == masked(json.loads(monolith.body or b"{}"))


def test_a_new_category_is_the_same_on_both_sides(own_world):
    paths = created(own_world, "/api/categories/", "staff", CATEGORY)
    at_both(own_world, paths, "GET", "ada")
    at_both(own_world, paths, "PATCH", "staff", {"parent": None, "position": 0})
    at_both(own_world, paths, "PUT", "staff", {"name": "n", "slug": "leaf-1"})
    at_both(own_world, paths, "PUT", "staff", {"name": "n", "slug": "new"})
    at_both(own_world, paths, "DELETE", "staff")
    at_both(own_world, ("/api/categories/4/", "/api/categories/4/"), "PATCH", "staff", {"slug": "leaf-0"})
    same_rows(own_world)


def test_a_new_product_is_the_same_on_both_sides(own_world):
    paths = created(own_world, "/api/products/", "staff", PRODUCT)
    for method, body in (
        ("GET", None),
        ("PATCH", {"is_active": False, "category_id": 6, "weight_kg": ""}),
        ("GET", None),
        ("PATCH", {}),
        ("PUT", {"sku": "NEW-1", "name": "n", "slug": "x", "category_id": 5, "price": 1}),
        ("PUT", {"sku": "SKU-001", "slug": "product-1", "price": "0"}),
        ("PATCH", {"is_active": True}),
        ("GET", None),
        ("DELETE", None),
        ("GET", None),
    ):
        at_both(own_world, paths, method, "staff", body)
    same_rows(own_world)


def test_the_least_a_product_needs_gets_the_same_defaults(own_world):
    least = {"sku": "L", "name": "L", "slug": "l", "category_id": "5", "price": 0.01}
    paths = created(own_world, "/api/products/", "staff", least)
    at_both(own_world, paths, "GET", "staff")


def test_changing_a_product_keeps_what_belongs_to_it(own_world):
    changes = {"name": "Changed", "category_id": 7, "attributes": None, "price": "1e1"}
    for name, value in changes.items():
        alike(own_world, Question("PATCH", "/api/products/1/", "staff", json={name: value}))
    alike(own_world, Question("GET", "/api/products/1/"))
    same_rows(own_world)


def test_staff_reaches_what_is_not_on_sale(own_world):
    alike(own_world, Question("GET", "/api/products/6/", "staff"))
    alike(own_world, Question("PATCH", "/api/products/6/", "staff", json={"name": "x"}))
    alike(own_world, Question("PATCH", "/api/products/6/", "ada", json={"name": "x"}))


def test_deleting_a_product_takes_its_pictures_links_and_reviews(own_world):
    alike(own_world, Question("DELETE", "/api/products/3/", "staff"))
    alike(own_world, Question("GET", "/api/reviews/?product=3"))
    alike(own_world, Question("GET", "/api/products/1/"))  # it was shown beside this one
    same_rows(own_world)


def test_a_product_that_was_ordered_is_not_deleted_on_either_side(own_world):
    monolith, _ = alike(own_world, Question("DELETE", f"/api/products/{ORDERED}/", "staff"))
    assert monolith.status == 409
    alike(own_world, Question("DELETE", f"/api/products/{ORDERED}/", "ada"))
    same_rows(own_world)


@pytest.mark.parametrize("key", [1, 2, 5])
def test_a_category_that_is_needed_is_not_deleted_on_either_side(own_world, key):
    monolith, _ = alike(own_world, Question("DELETE", f"/api/categories/{key}/", "staff"))
    assert monolith.status == 409
    same_rows(own_world)


def test_a_category_may_be_its_own_parent_on_both_sides(own_world):
    alike(own_world, Question("PATCH", "/api/categories/1/", "staff", json={"parent": 1}))
    same_rows(own_world)


def test_a_review_is_written_once_changed_and_deleted_alike(own_world):
    paths = created(own_world, "/api/reviews/", "ada", REVIEW)
    alike(own_world, Question("POST", "/api/reviews/", "ada", json=REVIEW))
    for who, method, body in (
        ("eve", "PATCH", {"rating": 1}),
        ("ada", "PATCH", {"rating": 6}),
        ("ada", "PATCH", {"product": 1}),
        ("ada", "PATCH", {"product": 41, "author_name": "Nobody"}),
        ("ada", "PUT", {"product": 41, "rating": 2, "title": "t"}),
        ("staff", "PATCH", {"title": "Moderated"}),
        ("eve", "DELETE", None),
        ("ada", "DELETE", None),
        ("ada", "GET", None),
    ):
        at_both(own_world, paths, method, who, body)
    same_rows(own_world)


def test_a_review_whose_author_is_gone_belongs_to_staff(own_world):
    path = "/api/reviews/31/"
    alike(own_world, Question("PATCH", path, "ada", json={"rating": 1}))
    alike(own_world, Question("PATCH", path, "staff", json={"product": 2}))
    alike(own_world, Question("DELETE", path, "staff"))


def test_the_order_of_refusals_is_the_same(own_world):
    unreadable = {"data": b"{", "headers": (("Content-Type", "text/plain"),)}
    for who in (None, "ada", "staff"):
        for method, path in (
            ("PUT", "/api/products/99999/"),
            ("PUT", "/api/products/1/"),
            ("PATCH", "/api/reviews/1/"),
            ("PUT", "/api/reviews/99999/"),
            ("POST", "/api/reviews/"),
            ("DELETE", "/api/products/"),
        ):
            alike(own_world, Question(method, path, who, **unreadable))
