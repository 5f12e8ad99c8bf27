"""The real catalog with one thing wrong, served beside the stack's own and over its database."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from extracted.catalog.api import ENTITIES
from extracted.catalog.models import Base, Category, Product
from extracted.catalog.store import Products
from extracted.chassis.app import Service, build
from extracted.chassis.database import Database
from extracted.chassis.identity import IdentityReader, load_public_key
from extracted.chassis.pages import Page
from extracted.chassis.query import QueryParams
from extracted.chassis.rest import Collection, Entity
from extracted.chassis.writing import Shelf

PATH = "/api/products/"


@dataclass(frozen=True)
class Flaw:
    """What is wrong: with the entity, or with an answer on its way out."""

    entity: Callable[[Entity], Entity] = field(default=lambda entity: entity)
    answer: Callable[[Response], Response] = field(default=lambda answer: answer)


class _PageOffByOne(Products):
    """Begins the last page one row too early."""

    def page(self, session: Session, query: QueryParams) -> tuple[Page, Sequence[Product]]:
        page, rows = super().page(session, query)
        if page.number < page.last or page.number == 1:
            return page, rows
        earlier = query.get("ordering") or ""
        every = super().page(session, QueryParams.parse(f"page_size=1000&ordering={earlier}".encode()))[1]
        return page, [*every[page.offset - 1 : page.offset], *rows[:-1]] if every else rows


class _SlugInAnyCase(Products):
    """Takes a category's slug in any case."""

    def narrowed(self, cleaned: Any) -> Iterator[Any]:
        others = {name: value for name, value in cleaned.items() if name != "category"}
        yield from super().narrowed(others)
        if "category" in cleaned:
            slug = func.lower(Category.slug) == cleaned["category"].lower()
            yield Product.category_id.in_(select(Category.id).where(slug))


def _rounded(answer: Response) -> Response:
    body = answer.get_json(silent=True)
    if answer.status_code == 200 and isinstance(body, dict) and "results" in body:
        for row in body["results"]:
            row["price"] = f"{float(row['price']):.1f}0"
        answer.set_data(json.dumps(body))
    return answer


def _other_error(answer: Response) -> Response:
    if answer.status_code == 400:
        answer.set_data(json.dumps({"error": "bad request"}))
    return answer


def _without_vary(answer: Response) -> Response:
    if answer.status_code == 404:
        del answer.headers["Vary"]
    return answer


FLAWS = {
    "an off-by-one page boundary": Flaw(entity=lambda entity: replace(entity, table=_PageOffByOne())),
    "a filter that ignores case": Flaw(entity=lambda entity: replace(entity, table=_SlugInAnyCase())),
    "a missing permission check": Flaw(entity=lambda entity: replace(entity, permits=lambda _: True)),
    "a rounding of a price": Flaw(answer=_rounded),
    "an error body of another shape": Flaw(answer=_other_error),
    "a lost Vary": Flaw(answer=_without_vary),
}


class KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(flaw: Flaw, port: int, database_url: str, public_key: str) -> Iterator[None]:
    """Serve the flawed catalog's products at a port of this machine."""
    database = Database(database_url)
    with closing(database), listening(_app(flaw, database, public_key), port):
        yield


@contextmanager
def listening(app: Flask, port: int) -> Iterator[None]:
    """Serve an application at a port of this machine, in a thread."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=KeepAlive)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _app(flaw: Flaw, database: Database, public_key: str) -> Flask:
    identities = IdentityReader(load_public_key(public_key), audience="catalog")
    service = Service("catalog", database, Base.metadata, identities)
    shelf = Shelf(database, lambda: datetime.now(UTC))
    app = build(service, {PATH: Collection(flaw.entity(ENTITIES[PATH]), shelf)})
    app.after_request(flaw.answer)
    return app
