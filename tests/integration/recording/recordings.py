"""The proxy's side of a recording, and a capture as a takeover starts it."""

import base64
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Iterator

from django.db import connection

from strangler.takeover import postgres_schema, sqlite_schema
from strangler.takeover.shape import Shape

KEY = "a-key-that-only-tests-believe-in"
TABLES = ("catalog_category", "catalog_product", "catalog_productimage")
EFFECTS = "X-Strangler-Effects"


def mark(method: str, target: str, until: int | None = None, key: str = KEY, purpose: str = "record") -> str:
    """Return what the proxy would put into the header."""
    until = int(time.time()) + 30 if until is None else until
    words = f"{purpose}\n{method}\n{target}\n{until}".encode()
    return f"{until}.{hmac.new(key.encode(), words, hashlib.sha256).hexdigest()}"


def effects(response) -> dict:
    """Return what an answer tells of its effects."""
    version, _, packed = response[EFFECTS].partition(";")
    assert version == "v1", response[EFFECTS]
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))


def run(statements: Iterator[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def shape(table: str) -> Shape:
    return Shape(table, {"id": "bigint"}, ("id",), frozenset())


def capture() -> Iterator[str]:
    if connection.vendor == "sqlite":
        for table in TABLES:
            yield sqlite_schema.log_table(shape(table))
            yield from (text for _, text in sqlite_schema.capture_triggers(shape(table)))
        return
    yield postgres_schema.CONTROL
    for table in TABLES:
        yield postgres_schema.log_table(shape(table)).as_string()
        yield from (each.as_string() for each in postgres_schema.capture_functions(shape(table)))
        yield from (
            f"CREATE {each.as_string()}" for each in postgres_schema.capture_triggers(shape(table)).values()
        )


def release() -> Iterator[str]:
    for table in TABLES:
        if connection.vendor == "sqlite":
            yield from sqlite_schema.drop_triggers("capture", table)
            yield f"DROP TABLE strangler_log_{table}"
        else:
            yield from (
                f"DROP TRIGGER {name} ON {table}" for name in postgres_schema.capture_triggers(shape(table))
            )
            yield f"DROP TABLE strangler.log_{table}"


def log_of(table: str) -> str:
    return f"strangler_log_{table}" if connection.vendor == "sqlite" else f"strangler.log_{table}"
