"""How long the catalog waits for a database server that is gone."""

import psycopg
import pytest

from extracted.chassis.database import REACH, Database
from strangler.takeover import postgres_watch
from tests.relay import relayed, tcp_options


@pytest.mark.parametrize(
    ("own", "wanted"),
    [("", (1, 10, 5, 4, 30_000)), ("&tcp_user_timeout=7000&keepalives_idle=3", (1, 3, 5, 4, 7_000))],
)
def test_a_connection_has_what_its_address_says_and_else_what_the_chassis_says(postgres, own, wanted):
    with relayed(postgres.fresh()) as relay:
        database = Database(relay.url + own)
        with database.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, psycopg.Connection)
            assert tcp_options(raw) == wanted
        database.close()


def test_services_and_kit_wait_equally_long():
    assert REACH == postgres_watch.REACH
