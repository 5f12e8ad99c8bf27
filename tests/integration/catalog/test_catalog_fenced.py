"""While another database owns the tables, the service writes none of them and says who is asked instead."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text

from extracted.catalog.models import Base, Category, Product
from extracted.chassis.database import Database
from extracted.chassis.tables import ANSWERS
from tests.fences import fence, unfence

TABLES = tuple(Base.metadata.tables)
PRODUCT = {"sku": "N", "name": "N", "slug": "n", "category_id": 1, "price": "3"}


def run(database: Database, statements: Iterator[str]) -> None:
    with database.writing() as session:
        for statement in statements:
            session.execute(text(statement))


@pytest.fixture
def fenced(database, products) -> Iterator[None]:
    """The monolith owns the tables, since epoch 4."""
    engine = database.engine.dialect.name
    run(database, fence(engine, TABLES, epoch=4))
    yield
    run(database, unfence(engine, TABLES))


def counts(database: Database) -> tuple[int | None, ...]:
    with database.reading() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) for table in (Category, Product, ANSWERS)
        )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/products/", PRODUCT),
        ("POST", "/api/products/", {}),
        ("PUT", "/api/products/1/", PRODUCT),
        ("PATCH", "/api/products/1/", {"name": "n"}),
        ("PATCH", "/api/products/999/", {"name": "n"}),
        ("DELETE", "/api/products/1/", None),
        ("DELETE", "/api/products/999/", None),
        ("DELETE", "/api/categories/1/", None),
        ("POST", "/api/categories/", {"name": "n", "slug": "n"}),
        ("POST", "/api/reviews/", {"product": 1, "rating": 5, "title": "t"}),
    ],
)
def test_every_write_is_refused_and_leaves_nothing(fenced, staff, database, method, path, body):
    answer = staff.ask(method, path, body, idempotency_key="k")
    assert answer.status_code == 409
    assert answer.headers["X-Strangler-Moved"] == "catalog; epoch=4; effect=none"
    assert answer.json is not None
    assert answer.json["code"] == "moved"
    assert "since epoch 4" in answer.json["detail"]
    assert counts(database) == (1, 30, 0)


def test_what_would_be_refused_anyway_is_refused_as_ever(fenced, keyed_app):
    anonymous = keyed_app.test_client().post("/api/products/", json=PRODUCT)
    assert anonymous.status_code == 403


def test_readers_and_health_notice_nothing(fenced, staff):
    assert staff.ask("GET", "/api/products/").json["count"] == 30
    assert staff.ask("GET", "/api/products/1/").status_code == 200
    assert staff.ask("OPTIONS", "/api/products/1/").status_code == 200
    assert staff.ask("GET", "/healthz").status_code == 200
    assert staff.ask("GET", "/readyz").status_code == 200


def test_a_fence_that_rises_after_the_first_look_refuses_all_the_same(products, database, staff):
    engine = database.engine.dialect.name
    run(database, fence(engine, ["catalog_review"]))  # the product's own table is looked at, and is free
    written = staff.ask("POST", "/api/reviews/", {"product": 1, "rating": 5, "title": "t"})
    deleted = staff.ask("DELETE", "/api/products/1/")
    assert written.status_code == 409
    if engine == "postgresql":  # SQLite has no review to refuse
        assert deleted.headers["X-Strangler-Moved"] == "catalog; epoch=3; effect=none"
        assert staff.ask("GET", "/api/products/1/").status_code == 200
    run(database, unfence(engine, ["catalog_review"]))


def test_what_was_done_here_is_told_here_whoever_owns_the_table_by_now(products, database, staff):
    engine = database.engine.dialect.name
    first = staff.ask("POST", "/api/products/", PRODUCT, idempotency_key="k")
    assert first.status_code == 201
    run(database, fence(engine, TABLES))
    assert staff.ask("POST", "/api/products/", PRODUCT, idempotency_key="k").data == first.data
    assert staff.ask("POST", "/api/products/", PRODUCT, idempotency_key="other").status_code == 409
    run(database, unfence(engine, TABLES))


def test_once_the_fence_is_down_the_service_writes(fenced, database, staff):
    engine = database.engine.dialect.name
    run(database, unfence(engine, TABLES))
    assert staff.ask("POST", "/api/products/", PRODUCT).status_code == 201
    run(database, fence(engine, TABLES))
