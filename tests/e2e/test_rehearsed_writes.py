"""Every write of the catalog, rehearsed by the real service while the real monolith performs it."""

import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from demo.place import Place
from demo.traffic import PASSWORD
from proxy.table import parse_table
from strangler.compare.reading import Reader
from strangler.compare.store import Judged
from strangler.compare.verdict import Verdict
from strangler.identity_keys import PUBLIC_KEY, REHEARSAL_KEY, identity_environment
from strangler.table_file import read_table
from strangler.takeover.handover import Where
from strangler.takeover.pace import set_pace
from strangler.takeover.state import Pace
from strangler.workers import worker_statuses
from tests.e2e import flawed_writes
from tests.e2e.conftest import new_place
from tests.e2e.test_first_flip import wait_for
from tests.e2e.whole_database import contents, table_rows
from tests.ports import free_ports
from tests.postgres import Postgres

TABLES = (
    "catalog_category",
    "catalog_product",
    "catalog_productimage",
    "catalog_relatedproduct",
    "catalog_review",
)
PRODUCT = {
    "sku": "REHEARSED-1",
    "name": "Rehearsed",
    "slug": "rehearsed-1",
    "category_id": 5,
    "price": "12.55",
    "weight_kg": 1.25,
    "description": "A thing.",
    "attributes": {"z": 1.5, "a": [None, "ü"]},
    "released_on": "2024-02-09",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The stack with every route that writes at `shadow`, all of its writes rehearsed."""
    place = new_place(tmp_path_factory.mktemp("w") / "var")
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        urls = {f"{side}_DATABASE_URL": server.fresh() for side in ("MONOLITH", "CATALOG")}
        place = Place(place.var, {**place.environment, **urls})
    _have_writes_rehearsed(place.var / "routes.toml")
    place.strangler("up")
    try:
        place.manage("seed", "--products", "40", "--orders", "10", "--seed", "7")
        place.strangler("takeover", "start", "catalog", "--execute")
        yield place
    finally:
        place.strangler("down")


def _have_writes_rehearsed(file: Path) -> None:
    document = tomlkit.parse(file.read_text())
    for route in document["routes"]:  # type: ignore[union-attr]
        if "GET" not in route["methods"]:
            route["stage"] = "shadow"
            route["shadow"] = {"percent": 100, "rehearse": True}
    file.write_text(tomlkit.dumps(document))


@dataclass(frozen=True)
class Answer:
    """What the client got."""

    status: int
    request_id: str
    body: Any


class Writer:
    """Somebody who writes through the proxy, one write after the other, and looks what a rehearsal gave."""

    def __init__(self, place: Place, name: str = "") -> None:
        self.place = place
        self._proof = ""
        if name:
            answer = self.ask("POST", "/api/accounts/token/", {"username": name, "password": PASSWORD})
            self._proof = f"Authorization: Token {answer.body['token']}\r\n"

    def write(self, method: str, path: str, body: Any = None, *, wanted: int) -> tuple[Answer, Judged]:
        """Write while the copy is as the monolith is; return the answer, and the pair with its verdict."""
        with standing_still(self.place):
            answer = self.ask(method, path, body)
            assert answer.status == wanted, answer
            return answer, verdict_on(self.place, answer.request_id)

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request at once: an answer must not come before its end."""
        host, _, port = self.place.environment["PROXY_BIND"].partition(":")
        sent = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{self._proof}"
            f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
        )
        with closing(socket.create_connection((host, int(port)), timeout=20)) as connection:
            connection.sendall(head.encode() + sent)
            response = HTTPResponse(connection, method=method)
            response.begin()
            told = response.read()
        request_id = response.headers["X-Request-ID"]
        return Answer(response.status, request_id, json.loads(told) if told else None)


@contextlib.contextmanager
def standing_still(place: Place) -> Iterator[None]:
    """Wait for the copy to be as the monolith is, and keep the follower from following meanwhile."""
    wait_for(lambda: rows(place, "monolith") == rows(place, "catalog"))
    where = Where(read_table(place.var / "routes.toml").table, "catalog", place.environment, place.var)
    set_pace(where, Pace(paused=True))
    try:
        yield
    finally:
        set_pace(where, Pace())


@pytest.fixture(scope="module")
def staff(stack: Place) -> Writer:
    return Writer(stack, "staff1")


@pytest.fixture(scope="module")
def customer(stack: Place) -> Writer:
    return Writer(stack, "customer1")


@pytest.fixture(scope="module")
def nobody(stack: Place) -> Writer:
    return Writer(stack)


def rows(place: Place, side: str) -> dict[str, list[str]]:
    """Return all rows of the catalog's tables in a side's database."""
    return {table: table_rows(place, side, table) for table in TABLES}


def verdict_on(place: Place, request_id: str) -> Judged:
    """Return what the comparer found about a request, once it has."""
    found: list[Judged] = []

    def compared() -> bool:
        with contextlib.suppress(Exception), Reader(place.var / "compare.sqlite3") as reader:
            kept = reader.find(request_id)
            found.extend([kept.judged] if kept else [])
        return bool(found)

    wait_for(compared)
    return found[0]


def alike(judged: Judged) -> None:
    """Assert that the rehearsal answered, and would have written, what the monolith did."""
    found = judged.comparison
    assert judged.pair.rehearsed
    assert found.verdict in (Verdict.MATCH, Verdict.EXPECTED), found
    expected = {each.rule for each in found.forgiven if each.weight.value == "expected"}
    assert expected <= {"server_moment"}, found


def test_every_write_of_the_catalog_is_rehearsed_alike(
    stack: Place, staff: Writer, customer: Writer, nobody: Writer
) -> None:
    def write(who: Writer, method: str, path: str, body: Any = None, *, wanted: int) -> Any:
        answer, judged = who.write(method, path, body, wanted=wanted)
        alike(judged)
        return answer.body

    category = write(
        staff, "POST", "/api/categories/", {"name": "Näw", "slug": "naew", "position": 7}, wanted=201
    )
    here = f"/api/categories/{category['id']}/"
    write(staff, "PATCH", here, {"position": 3}, wanted=200)
    write(staff, "PATCH", here, {"position": 3}, wanted=200)  # nothing is changed
    write(staff, "PUT", here, {"name": "n", "slug": "naew"}, wanted=200)
    product = write(staff, "POST", "/api/products/", {**PRODUCT, "category_id": category["id"]}, wanted=201)
    there = f"/api/products/{product['id']}/"
    write(staff, "PATCH", there, {"price": "9.99", "attributes": {"b": 1, "a": [0.10]}}, wanted=200)
    write(staff, "PATCH", there, {}, wanted=200)
    write(
        staff,
        "PUT",
        there,
        {"sku": "S", "name": "n", "slug": "x", "category_id": 5, "price": 1},
        wanted=200,
    )
    review = {"product": product["id"], "rating": 4, "title": "Fine", "body": " so \n"}
    written = write(customer, "POST", "/api/reviews/", review, wanted=201)
    mine = f"/api/reviews/{written['id']}/"
    write(customer, "PATCH", mine, {"rating": 2}, wanted=200)
    write(customer, "DELETE", mine, wanted=204)
    write(staff, "DELETE", there, wanted=204)
    write(staff, "DELETE", here, wanted=204)

    write(staff, "POST", "/api/products/", {"sku": "", "price": "-1"}, wanted=400)
    write(staff, "POST", "/api/products/", {**PRODUCT, "category_id": 99999}, wanted=400)
    write(staff, "PATCH", "/api/products/99999/", {"name": "x"}, wanted=404)
    write(staff, "DELETE", "/api/categories/1/", wanted=409)
    write(customer, "POST", "/api/products/", PRODUCT, wanted=403)
    write(nobody, "POST", "/api/reviews/", review, wanted=403)
    write(nobody, "DELETE", "/api/products/1/", wanted=403)


def test_a_rehearsal_leaves_no_trace_in_the_services_database(stack: Place, staff: Writer) -> None:
    body = {**PRODUCT, "sku": "TRACE", "slug": "trace"}
    with standing_still(stack):
        before = contents(stack, "catalog")
        answer = staff.ask("POST", "/api/products/", body)
        alike(verdict_on(stack, answer.request_id))
        assert contents(stack, "catalog") == before
    staff.write("DELETE", f"/api/products/{answer.body['id']}/", wanted=204)


@pytest.fixture
def port(stack: Place) -> Iterator[int]:
    """The port of a second catalog, which the routing table names meanwhile."""
    (number,) = free_ports(1)
    file = stack.var / "routes.toml"
    before = file.read_text()
    _serve(stack, before.replace(stack.environment["CATALOG_BIND"], f"127.0.0.1:{number}"))
    yield number
    _serve(stack, before)


def _serve(place: Place, text: str) -> None:
    (place.var / "routes.toml").write_text(text)
    version = parse_table(text, "routes.toml").version
    wait_for(lambda: {each.version for each in worker_statuses(place.var / "proxy").answers} == {version})


@pytest.mark.parametrize(
    ("flaw", "method", "body", "wanted", "found"),
    [
        ("a price rounded on write", "PATCH", {"price": "10.55"}, 200, "rows.catalog_product[0].price"),
        (
            "a field lost on write",
            "PATCH",
            {"description": "another"},
            200,
            "rows.catalog_product[0].description",
        ),
        ("a missing validation", "PATCH", {"price": "-1.00"}, 400, "rows.catalog_product[0]"),
    ],
)
def test_a_defect_in_how_the_service_writes_is_found_in_its_rows(
    stack: Place, staff: Writer, port: int, flaw: str, method: str, body: Any, wanted: int, found: str
) -> None:
    keys = identity_environment(stack.var, stack.environment)
    url = stack.environment["CATALOG_DATABASE_URL"]
    with flawed_writes.served(flaw, port, url, keys[PUBLIC_KEY], keys[REHEARSAL_KEY]):
        _, judged = staff.write(method, "/api/products/7/", body, wanted=wanted)
    assert judged.comparison.verdict is Verdict.DIFF
    assert found in {str(each.path) for each in judged.comparison.differences}
