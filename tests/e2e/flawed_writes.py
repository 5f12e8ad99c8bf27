"""The real catalog, all of it, with one thing wrong about how it writes; over the stack's own database."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from extracted.catalog.api import ENTITIES
from extracted.catalog.forms import PRODUCT
from extracted.catalog.models import Base, Product
from extracted.catalog.store import Products
from extracted.chassis.app import Service, build
from extracted.chassis.database import Database
from extracted.chassis.identity import Identity, IdentityReader, load_public_key
from extracted.chassis.resource import Resource
from extracted.chassis.rest import Collection, Entity, Item
from extracted.chassis.values import Exact
from extracted.chassis.writing import Shelf
from tests.e2e.flawed_catalog import listening

PATH = "/api/products/"


class _Altered(Products):
    """Writes other values than it was given."""

    def altered(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        raise NotImplementedError

    def create(self, session: Session, values: Mapping[str, Any], author: Identity, now: datetime) -> Product:
        return super().create(session, self.altered(values), author, now)

    def update(self, session: Session, row: Product, values: Mapping[str, Any], now: datetime) -> None:
        super().update(session, row, self.altered(values), now)


class _Rounds(_Altered):
    def altered(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        price = {"price": values["price"].quantize(Decimal("0.1"))} if "price" in values else {}
        return {**values, **price}


class _Forgets(_Altered):
    def altered(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value for name, value in values.items() if name != "description"}


_PRODUCTS = ENTITIES[PATH]
_ANY_PRICE = {**PRODUCT, "price": Exact(digits=10, places=2)}

FLAWS: Mapping[str, Entity] = {
    "a price rounded on write": replace(_PRODUCTS, table=_Rounds()),
    "a field lost on write": replace(_PRODUCTS, table=_Forgets()),
    "a missing validation": replace(_PRODUCTS, item=_ANY_PRICE),
}


@contextmanager
def served(flaw: str, port: int, database_url: str, public_key: str, key: str) -> Iterator[None]:
    """Serve the catalog with a flaw at a port of this machine, for rehearsals with a key."""
    database = Database(database_url)
    identities = IdentityReader(load_public_key(public_key), audience="catalog")
    service = Service("catalog", database, Base.metadata, identities, key.encode())
    shelf = Shelf(database, lambda: datetime.now(UTC))
    app = build(service, dict(_resources(shelf, {**ENTITIES, PATH: FLAWS[flaw]})))
    with closing(database), listening(app, port):
        yield


def _resources(shelf: Shelf, entities: Mapping[str, Entity]) -> Iterator[tuple[str, Resource]]:
    for path, entity in entities.items():
        yield path, Collection(entity, shelf)
        yield f"{path}<key:key>/", Item(entity, shelf)
