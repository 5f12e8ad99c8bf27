"""The questions that every side of a takeover on SQLite asks, as SQL, and the few answers they share."""

import sqlite3
from typing import Any

from strangler.takeover.shape import Shape
from strangler.takeover.sqlite_schema import by_bytes, listed, literal, log_of
from strangler.takeover.standard_sql import identifier
from strangler.takeover.state import Key, decode, encode

GENERATED = {2, 3}  # PRAGMA table_xinfo: virtual and stored generated columns, computed and never copied


def logged_keys(shape: Shape, since: str, upto: Key | None) -> tuple[str, tuple[Any, ...]]:
    """Return query and parameters for the keys logged after a position, of a part those of its parent."""
    seen = decode(since, dict[str, int])
    keys = {shape.table: shape.key}
    keys |= {part.shape.table: tuple(part.key[name] for name in shape.key) for part in shape.parts}
    logged = " UNION ALL ".join(
        f"SELECT {listed(key)} FROM {identifier(log_of(table))} WHERE seq > ?" for table, key in keys.items()
    )
    within = f" WHERE ({listed(shape.key)}) <= ({', '.join('?' * len(upto))})" if upto is not None else ""
    query = f"SELECT DISTINCT {listed(shape.key)} FROM ({logged}){within}"
    return query, (*(seen.get(table, 0) for table in keys), *(upto or ()))


def between(shape: Shape, after: Key | None, upto: Key | None) -> tuple[str, tuple[Any, ...]]:
    """Return the WHERE and its parameters for keys after `after`, up to `upto`."""
    parts: list[str] = []
    parameters: list[Any] = []
    for comparison, key in ((">", after), ("<=", upto)):
        if key is not None:
            parts.append(f"({by_bytes(shape)}) {comparison} ({', '.join('?' * len(key))})")
            parameters += key
    return (" WHERE " + " AND ".join(parts) if parts else ""), tuple(parameters)


def position_of(connection: sqlite3.Connection) -> str:
    if not has(connection, "sqlite_sequence"):
        return "{}"
    prefix = log_of("")
    rows = connection.execute(
        f"SELECT name, seq FROM sqlite_sequence WHERE substr(name, 1, {len(prefix)}) = {literal(prefix)}"
    )
    return encode({name.removeprefix(prefix): seq for name, seq in rows})


def counted_ids(connection: sqlite3.Connection, table: str) -> int | None:
    """Return AUTOINCREMENT's count, None for a table without one."""
    autoincrement = "SELECT count(*) FROM sqlite_master WHERE name = ? AND upper(sql) LIKE '%AUTOINCREMENT%'"
    if not connection.execute(autoincrement, [table]).fetchone()[0]:
        return None
    found = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", [table])
    return found.fetchone()[0] or 0


def stored_columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return the columns of a table that are kept, not computed, with their declared types."""
    columns = connection.execute("SELECT name, type, hidden FROM pragma_table_xinfo(?)", [table])
    return {name: kind for name, kind, hidden in columns if hidden not in GENERATED}


def has(connection: sqlite3.Connection, name: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [name]).fetchone())


def epoch_said(text: str) -> int | None:
    _, found, rest = text.partition(", epoch ")
    return int(rest.split(")")[0]) if found else None
