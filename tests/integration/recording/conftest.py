"""The shop while its catalog's tables are captured, and requests that the proxy wants recorded."""

from collections.abc import Iterator

import pytest
import recorded_urls
from django.test import Client
from recordings import KEY, capture, mark, release, run
from shop.catalog.models import Category, Product


@pytest.fixture
def shop(transactional_db, settings, monkeypatch) -> None:
    """A shop with a category and two products."""
    monkeypatch.setenv("STRANGLER_REHEARSAL_KEY", KEY)
    settings.ROOT_URLCONF = recorded_urls.__name__
    cups = Category.objects.create(name="Cups", slug="cups")
    for number in (1, 2):
        Product.objects.create(
            sku=f"S-{number}", name="Cup", slug=f"cup-{number}", category=cups, price="9.90"
        )


@pytest.fixture
def captured(shop) -> Iterator[None]:
    """A takeover captures the catalog."""
    run(capture())
    yield
    run(release())


@pytest.fixture
def ask(shop):
    """Send a request that is to be recorded."""

    def asked(name: str, proof: str | None = None):
        target = f"/recorded/{name}/"
        return Client().post(target, headers={"X-Strangler-Record": proof or mark("POST", target)})

    return asked
