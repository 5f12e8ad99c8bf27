"""Cut connections to a database, so that either end notices."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.integration.takeover.sides import Side
from tests.postgres import Postgres, database_name


@dataclass(frozen=True)
class Network:
    """The way to the databases of one server, as far as it can be cut."""

    server: Postgres

    def cut(self, side: Side) -> None:
        """End every connection to a database, and let none be made."""
        self.allow(side, allowed=False)
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            while connection.execute(ended, [database_name(side.url)]).fetchall():
                pass

    def mend(self, side: Side) -> None:
        """Let connections be made again."""
        self.allow(side, allowed=True)

    def allow(self, side: Side, *, allowed: bool) -> None:
        """Let connections to a database be made, or refuse them; what is open stays."""
        alter = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            connection.execute(alter.format(sql.Identifier(database_name(side.url)), sql.Literal(allowed)))
