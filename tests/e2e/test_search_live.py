"""`strangler compare search` on the real stack: it finds what a service got wrong, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo.place import Failed, Place
from demo.traffic import PASSWORD
from proxy.table import parse_table
from strangler.identity_keys import PUBLIC_KEY, identity_environment
from strangler.workers import worker_statuses
from tests.e2e.conftest import new_place
from tests.e2e.flawed_catalog import FLAWS, Flaw, served
from tests.e2e.test_first_flip import wait_for
from tests.ports import free_ports

ROUTE = "catalog.products"
ENGINE_LIMIT = """version = 1
[[rules]]
name = "largest-position"
route = "catalog.products"
path = "$.actions.POST.images.child.children.position.max_value"
ignore = true
reason = "on SQLite the monolith names SQLite's own largest integer, the service PostgreSQL's"
owner = "catalog"
"""
METHODS = 'methods = ["GET", "HEAD"]'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The stack with every route at `monolith`, and the credentials of a customer and of staff."""
    place = new_place(tmp_path_factory.mktemp("q") / "var")
    (place.var / "compare.toml").write_text(ENGINE_LIMIT)
    place.strangler("up")
    try:
        place.manage("seed", "--products", "60", "--orders", "5", "--seed", "7")
        place.strangler("takeover", "start", "catalog", "--execute")
        proofs = {"STRANGLER_ROLE_USER": "customer1", "STRANGLER_ROLE_STAFF": "staff1"}
        roles = {variable: _signed_in(place, name) for variable, name in proofs.items()}
        yield Place(place.var, {**place.environment, **roles})
    finally:
        place.strangler("down")


@pytest.fixture(scope="module")
def port(shop: Place) -> int:
    """The port of a second catalog, which the routing table now names; its list has OPTIONS too."""
    (number,) = free_ports(1)
    file = shop.var / "routes.toml"
    text = file.read_text().replace('service = "catalog"', 'service = "flawed"')
    upstream = f'[upstreams.flawed]\nurl = "http://127.0.0.1:{number}"\n\n'
    text = text.replace("[groups.catalog]", f"{upstream}[groups.catalog]")
    head, name, tail = text.partition(f'name = "{ROUTE}"\n')
    text = head + name + tail.replace(METHODS, 'methods = ["GET", "HEAD", "OPTIONS"]', 1)
    file.write_text(text)
    version = parse_table(text, "routes.toml").version

    def every_worker_has_it() -> bool:
        return {each.version for each in worker_statuses(shop.var / "proxy").answers} == {version}

    wait_for(every_worker_has_it)
    return number


def _signed_in(place: Place, name: str) -> str:
    with requests.Session() as session:
        credentials = {"username": name, "password": PASSWORD}
        session.post(f"{place.url}/api/accounts/login/", json=credentials, timeout=10).raise_for_status()
        return f"Cookie: sessionid={session.cookies['sessionid']}"


def _searched(shop: Place, port: int, flaw: Flaw, *options: str) -> list[dict[str, Any]]:
    key = identity_environment(shop.var, shop.environment)[PUBLIC_KEY]
    with served(flaw, port, shop.environment["CATALOG_DATABASE_URL"], key):
        try:
            said = shop.strangler("compare", "search", ROUTE, "--json", *options)
        except Failed as exit_one:
            said = str(exit_one)
    found: list[dict[str, Any]] = json.loads(said)["found"]
    return found


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
def test_a_flaw_of_a_real_service_is_found_within_a_minute(shop: Place, port: int, flaw: Flaw) -> None:
    assert _searched(shop, port, flaw, "--most", "1", "--seconds", "60")


def test_a_permission_is_searched_for_as_every_role_that_can_prove_itself(shop: Place, port: int) -> None:
    found = _searched(shop, port, FLAWS["a missing permission check"], "--most", "2", "--seconds", "8")
    assert {each["method"] for each in found} == {"OPTIONS"}
    assert "staff" not in {each["role"] for each in found}


def test_a_service_without_a_flaw_differs_in_nothing(shop: Place, port: int) -> None:
    assert _searched(shop, port, Flaw(), "--seconds", "10") == []
