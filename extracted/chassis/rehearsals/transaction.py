"""Open a transaction that cannot be kept: it is always rolled back, and the database refuses to commit it.

What refuses is a row of the kit's `strangler_rehearsal` (PostgreSQL: `strangler.rehearsal`), which also lets
the transaction through fences. Without that table there are no rehearsals.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

LOCK_MS = 250
STATEMENT_MS = 2_000
STEPS = 20_000  # of SQLite's virtual machine, between two looks at the clock

LIMITS = text(
    f"SET LOCAL lock_timeout = {LOCK_MS}; SET LOCAL statement_timeout = {STATEMENT_MS};"
    f" SET LOCAL idle_in_transaction_session_timeout = {STATEMENT_MS}"
)
TRAP = {
    "sqlite": text("INSERT INTO strangler_rehearsal (id) VALUES (1)"),
    "postgresql": text("INSERT INTO strangler.rehearsal DEFAULT VALUES"),
}


@contextmanager
def unkeepable(engine: Engine) -> Iterator[Connection]:
    """Give a connection in such a transaction. Raises DBAPIError where it cannot be had, or not soon."""
    with engine.connect() as connection, _limited(connection):
        try:
            if connection.dialect.name == "postgresql":
                connection.execute(LIMITS)
            connection.execute(TRAP[connection.dialect.name])
            yield connection
        finally:
            with suppress(DBAPIError):  # a connection that broke has rolled back
                connection.rollback()


@contextmanager
def _limited(connection: Connection) -> Iterator[None]:
    """Let a rehearsal wait for nobody long on SQLite, where limits are the connection's."""
    driver: Any = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    (usual,) = driver.execute("PRAGMA busy_timeout").fetchone()
    end = time.monotonic() + STATEMENT_MS / 1000
    driver.execute(f"PRAGMA busy_timeout = {LOCK_MS}")
    driver.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, STEPS)
        driver.execute(f"PRAGMA busy_timeout = {usual}")
