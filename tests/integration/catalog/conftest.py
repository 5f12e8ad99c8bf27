"""A catalog service on a database of its own, with a little in it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from catalog_callers import KEY, Caller
from flask import Flask

from extracted.catalog.__main__ import MIGRATIONS
from extracted.catalog.app import create_app
from extracted.catalog.config import Config
from extracted.catalog.models import Base, Category, Product, ProductImage
from extracted.chassis.database import Database
from extracted.chassis.migrate import upgrade

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    """A new database's address."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").fresh()
    return f"sqlite:///{tmp_path}/catalog.sqlite3"


@pytest.fixture
def database(database_url) -> Iterator[Database]:
    """A migrated database."""
    database = Database(database_url)
    upgrade(database, MIGRATIONS, Base.metadata)
    yield database
    database.close()


@pytest.fixture
def products(database) -> list[int]:
    """Thirty products with two pictures each; their ids."""
    with database.writing() as session:
        shelf = Category(name="Shelf", slug="shelf")
        session.add(shelf)
        session.flush()
        made = [_product(number, shelf.id) for number in range(30)]
        session.add_all(made)
        session.flush()
        session.add_all(ProductImage(product_id=row.id, url=f"u{n}") for row in made for n in range(2))
        return [row.id for row in made]


@pytest.fixture
def app(database_url, database) -> Iterator[Flask]:
    """The service."""
    app = create_app(Config(database_url, None, "INFO"))
    yield app
    app.extensions["database"].close()


@pytest.fixture
def keyed_app(database_url, database) -> Iterator[Flask]:
    """The service, that believes the tokens of `catalog_callers`."""
    app = create_app(Config(database_url, KEY.public_key(), "INFO"))
    yield app
    app.extensions["database"].close()


@pytest.fixture
def staff(keyed_app) -> Caller:
    """Somebody who may write everything."""
    return Caller(keyed_app)


def _product(number: int, category_id: int) -> Product:
    return Product(
        sku=f"S{number}",
        name=f"P{number}",
        slug=f"p-{number}",
        category_id=category_id,
        price=Decimal("9.99"),
        created_at=NOW,
        updated_at=NOW,
    )
