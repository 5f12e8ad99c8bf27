from pathlib import Path

import pytest

from strangler.errors import BadAddress
from strangler.takeover.address import address_of
from strangler.takeover.engines import Engine

VAR = Path("/srv/shop/var")


def test_an_engine_nobody_knows_is_refused_by_name():
    with pytest.raises(BadAddress, match="'mysql'"):
        address_of("catalog", {"CATALOG_DATABASE_URL": "mysql://db/shop"}, VAR)


def test_an_unset_address_is_the_file_under_var():
    address = address_of("catalog", {}, VAR)
    assert (address.engine, address.place) == (Engine.SQLITE, "/srv/shop/var/catalog.sqlite3")


def test_a_service_with_a_hyphen_has_a_variable_with_an_underscore():
    assert address_of("order-lines", {}, VAR).variable == "ORDER_LINES_DATABASE_URL"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_password_is_never_shown(scheme):
    url = f"{scheme}://shop:secret@db/catalog"
    address = address_of("catalog", {"CATALOG_DATABASE_URL": url}, VAR)
    assert address.place == url
    assert address.shown == f"{scheme}://shop:***@db/catalog"


@pytest.mark.parametrize(
    ("url", "place"), [("sqlite:////srv/a b.sqlite3", "/srv/a b.sqlite3"), ("sqlite:///near.db", "near.db")]
)
def test_a_sqlite_address_names_a_file(url, place):
    assert address_of("catalog", {"CATALOG_DATABASE_URL": url}, VAR).place == place
