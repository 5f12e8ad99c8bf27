"""The proxy's side of a rehearsal, and a look at all that a service's database holds."""

import base64
import hashlib
import hmac
import json
import sqlite3
import time
import zlib
from contextlib import closing
from typing import Any

import psycopg
from catalog_callers import token
from flask import Flask
from psycopg import sql
from sqlalchemy import URL
from werkzeug.test import TestResponse

from extracted.chassis.identity import HEADER as IDENTITY

KEY = "a-key-that-only-tests-believe-in"
PREFIX = "/__strangler__/rehearse"
EFFECTS = "X-Strangler-Effects"
MARK = "X-Strangler-Rehearsal"


def mark(method: str, target: str, until: int | None = None, key: str = KEY) -> str:
    """Return what the proxy would put into the header."""
    until = int(time.time()) + 30 if until is None else until
    words = f"rehearse\n{method}\n{target}\n{until}".encode()
    return f"{until}.{hmac.new(key.encode(), words, hashlib.sha256).hexdigest()}"


def headers(method: str, path: str, user: int = 1) -> dict[str, str]:
    """Return what a rehearsal of `path` carries."""
    return {MARK: mark(method, PREFIX + path), IDENTITY: token(user)}


def rehearse(app: Flask, method: str, path: str, body: object = None, **more: str) -> TestResponse:
    """Rehearse in this process."""
    given = {name.replace("_", "-"): value for name, value in more.items()}
    return app.test_client().open(
        PREFIX + path, method=method, json=body, headers={**headers(method, path), **given}
    )


def effects(answer: Any) -> dict[str, Any]:
    """Return what an answer tells of its effects."""
    version, _, packed = answer.headers[EFFECTS].partition(";")
    assert version == "v1", answer.headers[EFFECTS]
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))


def contents(url: URL) -> dict[str, list[Any]]:
    """Return everything a database holds: each table, each sequence, the kit's own, and the schema."""
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "")) as connection:
            return _of_sqlite(connection)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        return _of_postgres(connection)


def _of_sqlite(connection: sqlite3.Connection) -> dict[str, list[Any]]:
    schema = connection.execute("SELECT name, type, sql FROM sqlite_master ORDER BY name").fetchall()
    tables = [name for name, kind, _ in schema if kind == "table"]
    rows = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in tables}
    assert "sqlite_sequence" in rows
    return {"schema": schema, **rows}


def _of_postgres(connection: psycopg.Connection) -> dict[str, list[Any]]:
    names = connection.execute(
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind IN ('r', 'S') AND nspname IN ('public', 'strangler') ORDER BY 1, 2"
    ).fetchall()
    found = {
        f"{schema}.{name}": sorted(
            repr(row)
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name)))
        )
        for schema, name in names
    }
    assert "strangler.rehearsal" in found
    assert any(name.endswith("_seq") for name in found)
    triggers = connection.execute(
        "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger ORDER BY 1, 2"
    )
    return {"triggers": triggers.fetchall(), **found}
