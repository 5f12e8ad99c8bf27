"""The shop with its catalog behind a fence."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import writing_urls
from django.db import connection
from django.test import Client
from shop.accounts.models import User
from shop.catalog.models import Category, Product

from tests.fences import fence, note_nobody, note_writers, unfence

TABLES = ("catalog_category", "catalog_product", "catalog_review")


@pytest.fixture
def shop(transactional_db, settings) -> None:
    """A shop with one product, whose requests commit what they write."""
    settings.ROOT_URLCONF = writing_urls.__name__
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    writing_urls.RAN.clear()
    cups = Category.objects.create(name="Cups", slug="cups")
    Product.objects.create(sku="S-1", name="Cup", slug="cup", category=cups, price=Decimal("9.90"))


@pytest.fixture
def fenced(shop) -> Iterator[None]:
    """The catalog's tables may not be written here any more, since epoch 3."""
    run(fence(connection.vendor, TABLES))
    yield
    run(unfence(connection.vendor, TABLES))


@pytest.fixture
def looked_for(shop) -> Iterator[None]:
    """Writers of the catalog's tables are noted."""
    run(note_writers(connection.vendor, TABLES))
    yield
    run(note_nobody(connection.vendor, TABLES))


@pytest.fixture
def boss(shop) -> Client:
    """A browser of somebody who may do everything in the admin."""
    signed_in = Client(headers={"accept": "text/html,*/*;q=0.8"})
    signed_in.force_login(User.objects.create_superuser("boss"))
    return signed_in


def run(statements: Iterator[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
