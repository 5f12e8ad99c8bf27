"""The whole real stack, in a folder and on ports of its own: started by `strangler up`, ended by `down`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.place import Place, fresh_place
from tests.ports import free_ports
from tests.postgres import postgres

__all__ = ["postgres"]

PRODUCTS = 200


def new_place(var: Path) -> Place:
    """Return a place under `var` whose parts listen on free ports."""
    names = ("PROXY_BIND", "PROXY_ADMIN", "MONOLITH_BIND", "CATALOG_BIND")
    ports = free_ports(len(names))
    return fresh_place(var, {name: f"127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)})


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The shop behind the proxy with every route at `monolith`, seeded and copied once."""
    place = new_place(tmp_path_factory.mktemp("s") / "var")
    place.strangler("up")
    try:
        place.manage("seed", "--products", str(PRODUCTS), "--orders", "40", "--seed", "7")
        place.strangler("takeover", "start", "catalog", "--execute")
        yield place
    finally:
        place.strangler("down")


@pytest.fixture
def at_monolith(stack: Place) -> Iterator[Place]:
    """The stack with `catalog.products` at `monolith`, before and after the test."""
    yield stack
    stack.strangler("back", "catalog.products", "monolith")
