"""Tell the database, with each statement that may write, what writes: a takeover's triggers can note it.

PostgreSQL is told in a comment before the statement, which costs no question and holds for that statement
alone, whatever pools connections. SQLite shows triggers no statement: there a function that every connection
has, `sqlite_source_id()`, answers otherwise while such a statement runs.
"""

import sqlite3
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from strangler.django.ledger import changes
from strangler.django.writer import writer

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]

_writing: ContextVar[str] = ContextVar("strangler_writing", default="")


def introduce(connection: Any) -> None:
    """Let a new connection answer who writes. Safe to call again."""
    if connection.vendor == "sqlite" and isinstance(connection.connection, sqlite3.Connection):
        connection.connection.create_function("sqlite_source_id", 0, _writing.get)


def named(execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run one statement, and let the database know what runs it."""
    if not (isinstance(sql, str) and changes(sql)):
        return execute(sql, params, many, context)
    vendor = context["connection"].vendor
    if vendor == "postgresql":
        return execute(f"/* strangler: {writer()} */ {sql}", params, many, context)
    if vendor != "sqlite":
        return execute(sql, params, many, context)
    token = _writing.set(f"strangler: {writer()}")
    try:
        return execute(sql, params, many, context)
    finally:
        _writing.reset(token)
