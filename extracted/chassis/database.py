"""Open a service's own database, SQLite or PostgreSQL, and hand out sessions that read or write.

One transaction a session. On SQLite a writing one takes the write lock at BEGIN, where waiting for it is
still possible: a read lock upgraded later fails at once. While there is a rehearsal, every session is a part
of its transaction, and no other connection is to be had.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from extracted.chassis.fence import name_refusal
from extracted.chassis.rehearsals.current import current, notice_giving_way, refuse_another
from extracted.chassis.rehearsals.transaction import unkeepable

BUSY_SECONDS = 20
# libpq's words: a server that gave no sign of life for 30 s is gone, and so is what was asked of it.
REACH = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
BEGIN = "begin"


class Begin(StrEnum):
    """How a transaction starts on SQLite."""

    READ = "BEGIN"
    WRITE = "BEGIN IMMEDIATE"


class Database:
    """A service's own database. Connections are pooled; `close` when the process ends."""

    def __init__(self, url: str) -> None:
        """Prepare to connect to `url`. Opens nothing yet."""
        self.url = database_url(url)
        self.engine = _engine(self.url)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that reads one snapshot and is rolled back."""
        with self._session(Begin.READ) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that is committed at the end, rolled back when anything was raised."""
        with self._session(Begin.WRITE) as session, session.begin():
            yield session

    def unkeepable(self) -> AbstractContextManager[Connection]:
        """Give a connection in a transaction that can only be rolled back. Raises DBAPIError."""
        return unkeepable(self._begin(Begin.WRITE))

    def ping(self) -> None:
        """Ask the database a question; raise what the driver raises where it does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def _session(self, begin: Begin) -> Session:
        rehearsal = current()
        if rehearsal is not None:
            return rehearsal.session()
        return Session(self._begin(begin), expire_on_commit=False)

    def _begin(self, begin: Begin) -> Engine:
        return self.engine.execution_options(**{BEGIN: begin})


def database_url(url: str) -> URL:
    """Read a database address as the kit writes it; raise ValueError for an engine no service runs on."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("not an address; wanted sqlite:///FILE or postgresql://…") from None
    if parsed.get_backend_name() == "sqlite":
        return parsed
    if parsed.get_backend_name() in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"{parsed.drivername}: wanted sqlite:///FILE or postgresql://…")


def _engine(url: URL) -> Engine:
    engine = _engine_of(url)
    event.listen(engine, "handle_error", notice_giving_way)
    event.listen(engine, "handle_error", name_refusal)
    event.listen(engine, "commit", refuse_another)
    event.listen(engine.pool, "checkout", refuse_another)
    return engine


def _engine_of(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        reach = {name: value for name, value in REACH.items() if name not in url.query}
        return create_engine(url, pool_pre_ping=True, connect_args=reach)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, Begin.READ))
