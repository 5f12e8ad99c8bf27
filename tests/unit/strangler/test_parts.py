"""Where each part of the stack listens."""

from pathlib import Path

import pytest

from proxy.table import parse_table
from strangler.errors import AddressDisagrees
from strangler.installation import Installation
from strangler.parts import Migration, Parts, lay_out

TABLE = parse_table(
    """
version = 1
[upstreams.monolith]
url = "http://127.0.0.1:8001"
[upstreams.stock-keeping]
url = "http://127.0.0.1:8101"
[upstreams.elsewhere]
url = "http://shop.example:80"
""",
    "t",
)
PLACE = Installation(Path("/r"), Path("/r/proxy/routes.toml"), Path("/v"))
PARTS = Parts(
    ("proxy", "monolith", "stock-keeping"), (Migration("m", "%(ENV_STRANGLER_ROOT)s/go 'a b'", ""),)
)


def test_an_address_that_the_table_does_not_know_is_refused():
    with pytest.raises(AddressDisagrees, match=r"STOCK_KEEPING_BIND is 127\.0\.0\.1:9"):
        lay_out(PLACE, PARTS, TABLE, {"STOCK_KEEPING_BIND": "127.0.0.1:9"})


def test_upstreams_listen_where_the_table_sends_to():
    stack = lay_out(PLACE, PARTS, TABLE, {})
    assert stack.addresses == {
        "proxy": "127.0.0.1:8000",
        "proxy admin": "127.0.0.1:8009",
        "monolith": "127.0.0.1:8001",
        "stock-keeping": "127.0.0.1:8101",
    }
    assert stack.environment["STOCK_KEEPING_BIND"] == "127.0.0.1:8101"


def test_an_upstream_that_lives_elsewhere_gets_no_address_here():
    assert "ELSEWHERE_BIND" not in lay_out(PLACE, PARTS, TABLE, {}).environment


def test_the_environment_reaches_every_part_with_the_places_named():
    environment = lay_out(PLACE, PARTS, TABLE, {"SENTRY_DSN": "x", "STRANGLER_VAR": "stale"}).environment
    assert environment["SENTRY_DSN"] == "x"
    assert environment["STRANGLER_VAR"] == "/v"


def test_a_database_is_the_environments_or_a_file_of_this_installation():
    environment = lay_out(PLACE, PARTS, TABLE, {"MONOLITH_DATABASE_URL": "postgresql://db/shop"}).environment
    assert environment["MONOLITH_DATABASE_URL"] == "postgresql://db/shop"
    assert environment["STOCK_KEEPING_DATABASE_URL"] == "sqlite:////v/stock-keeping.sqlite3"


def test_commands_are_split_before_values_are_filled_in():
    place = Installation(Path("/with space"), PLACE.table, PLACE.var)
    stack = lay_out(place, PARTS, TABLE, {})
    assert stack.words(PARTS.migrations[0].command) == ["/with space/go", "a b"]
