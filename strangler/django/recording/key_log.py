"""Read, inside a transaction, what the capture of a takeover logged of it: the keys of its rows. Read-only.

KeyLog
├── SqliteLog    a log's numbers: one writer at a time, so a transaction's own follow all committed ones
└── PostgresLog  each entry bears the number of its transaction, and the keys of a statement
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from strangler.django.recording.effects import Key

MOST_ROWS = 200  # more do not fit a header
MOST_COUNTED = 1_000
MOST_LOG_BYTES = 16 * 1024 * 1024  # on PostgreSQL a log has no index

KEY_OF_LOG = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    " AND attname <> 'strangler_xid' ORDER BY attnum"
)


class TooMuch(Exception):
    """There is more than a header holds, or more to read than a request may wait for."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A transaction's own entries: key columns by table, keys by table, where they begin; others' before."""

    columns: Mapping[str, Sequence[str]]
    keys: Mapping[str, Sequence[Key]]
    first: Any
    pending: int


class KeyLog(Protocol):
    """The logs of one database."""

    def tables(self) -> Sequence[str]:
        """Return the tables whose writes are logged now."""

    def own(self, tables: Sequence[str]) -> Logged:
        """Return what the connection's transaction logged. Raises TooMuch."""


class SqliteLog:
    """The logs of a SQLite file, seen by a connection that wrote, and by one that did not."""

    def __init__(self, connection: Any, other: Any) -> None:
        self._connection = connection
        self._other = other

    def tables(self) -> Sequence[str]:
        """Return the tables whose writes are logged now."""
        query = (
            "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
            " AND name = 'strangler_capture_insert_' || tbl_name ORDER BY tbl_name"
        )
        return [name for (name,) in _ask(self._connection, query)]

    def own(self, tables: Sequence[str]) -> Logged:
        """Return what the connection's transaction logged. Raises TooMuch."""
        columns, keys, first, pending = {}, {}, {}, 0
        for table in tables:
            log = _quoted(self._connection, f"strangler_log_{table}")
            # Whoever wrote has the file's only write lock: what is committed now, was before it began.
            ((committed,),) = _ask(self._other, f"SELECT coalesce(max(seq), 0) FROM {log}")
            found = _rows(self._connection, f"SELECT * FROM {log} WHERE seq > %s ORDER BY seq", committed)
            if found.rows:
                columns[table] = found.columns[1:]
                keys[table] = list(dict.fromkeys(row[1:] for row in found.rows))
                first[table] = found.rows[0][0]
            pending += _counted(self._other, log)
        return Logged(columns, keys, first or None, pending)


class PostgresLog:
    """The logs of a PostgreSQL database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def tables(self) -> Sequence[str]:
        """Return the tables whose writes are logged now."""
        query = (
            "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE tgname = 'strangler_capture_insert' AND tgenabled <> 'D' ORDER BY relname"
        )
        return [name for (name,) in _ask(self._connection, query)]

    def own(self, tables: Sequence[str]) -> Logged:
        """Return what the connection's transaction logged. Raises TooMuch."""
        columns, keys, pending = {}, {}, 0
        ((xid,),) = _ask(self._connection, "SELECT pg_current_xact_id_if_assigned()::text")
        for table in tables:
            log = f"strangler.{_quoted(self._connection, f'log_{table}')}"
            ((size,),) = _ask(self._connection, "SELECT pg_relation_size(%s::regclass)", log)
            if size > MOST_LOG_BYTES:
                raise TooMuch(f"{log} has {size} bytes")
            found = self._keys(log, xid)
            if found.rows:
                columns[table] = found.columns
                keys[table] = list(dict.fromkeys(found.rows))
            pending += _counted(self._connection, log, " WHERE strangler_xid IS DISTINCT FROM %s::xid8", xid)
        return Logged(columns, keys, int(xid) if keys else None, pending)

    def _keys(self, log: str, xid: str | None) -> "_Found":
        """Return the keys of a transaction's entries: one has a list a column, or says that all rows went."""
        key = [_quoted(self._connection, name) for (name,) in _ask(self._connection, KEY_OF_LOG, log)]
        its_own = f"FROM {log} WHERE strangler_xid = %s::xid8"
        if _ask(self._connection, f"SELECT 1 {its_own} AND {key[0]} IS NULL LIMIT 1", xid):
            raise TooMuch(f"all rows of {log} went")
        lists = ", ".join(f"unnest({name}) AS {name}" for name in key)
        return _rows(self._connection, f"SELECT {lists} {its_own}", xid)


@dataclass(frozen=True, slots=True)
class _Found:
    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


def _rows(connection: Any, query: str, *parameters: Any) -> _Found:
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT {MOST_ROWS + 1}", parameters)
        rows = cursor.fetchall()
        if len(rows) > MOST_ROWS:
            raise TooMuch(f"more than {MOST_ROWS} rows")
        return _Found([column[0] for column in cursor.description], rows)


def _counted(connection: Any, log: str, where: str = "", *parameters: Any) -> int:
    """Count entries, up to MOST_COUNTED."""
    ((count,),) = _ask(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {log}{where} LIMIT {MOST_COUNTED}) AS entries",
        *parameters,
    )
    return int(count)


def _ask(connection: Any, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _quoted(connection: Any, name: str) -> str:
    return str(connection.ops.quote_name(name))
