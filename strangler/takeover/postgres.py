"""PostgreSQL as source or target of a takeover. Values never pass through Python where both sides are it."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from strangler.takeover.engines import Engine
from strangler.takeover.shape import Shape
from strangler.takeover.values import INTEGERS

CONNECT_SECONDS = 5
LOCK_TIMEOUT = "10s"

COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod)
    FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
KEY = """
    SELECT attname
    FROM pg_index, unnest(indkey) WITH ORDINALITY AS part (number, place), pg_attribute
    WHERE indrelid = to_regclass(%s) AND indisprimary AND attrelid = indrelid AND attnum = part.number
    ORDER BY part.place
"""
REFERS_TO = """
    SELECT relname
    FROM pg_constraint JOIN pg_class ON pg_class.oid = confrelid
    WHERE conrelid = to_regclass(%s) AND contype = 'f'
"""
JSON_TYPES = {"json", "jsonb"}


class _Postgres:
    """One PostgreSQL database in one transaction."""

    engine = Engine.POSTGRESQL

    def __init__(self, url: str, *begin: str) -> None:
        """Connect and begin. Raises psycopg.Error."""
        self.connection = psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True)
        try:
            for statement in ("SET TimeZone = 'UTC'", *begin):
                self.connection.execute(statement)
        except psycopg.Error:
            self.connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()  # an open transaction is undone

    def shape(self, table: str) -> Shape | None:
        """Return the shape of a table, None where there is none."""
        quoted = [sql.Identifier(table).as_string(self.connection)]
        columns: dict[str, str] = dict(self.connection.execute(COLUMNS, quoted).fetchall())
        if not columns:
            return None
        return Shape(
            table=table,
            columns=columns,
            key=tuple(name for (name,) in self.connection.execute(KEY, quoted)),
            refers_to=frozenset(name for (name,) in self.connection.execute(REFERS_TO, quoted)),
        )

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""
        return self._number(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(shape.table)))

    def rows(self, shape: Shape) -> Iterator[tuple[Any, ...]]:
        """Yield every row by primary key, one at a time; JSON as the text PostgreSQL writes for it."""
        columns = sql.SQL(", ").join(_as_read(shape, name) for name in shape.names)
        with self.connection.cursor() as cursor:
            yield from cursor.stream(_select(shape, columns))

    @contextmanager
    def copy_out(self, shape: Shape) -> Iterator[psycopg.Copy]:
        """Give the table by primary key as a binary COPY stream."""
        columns = sql.SQL(", ").join(map(sql.Identifier, shape.names))
        copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(_select(shape, columns))
        with self.connection.cursor() as cursor, cursor.copy(copy) as stream:
            yield stream

    def highest_id(self, shape: Shape) -> int:
        """Return the highest id ever given out for a table: by its sequence, or by the rows."""
        if len(shape.key) != 1 or shape.columns[shape.key[0]] not in INTEGERS:
            return 0
        key, table = sql.Identifier(shape.key[0]), sql.Identifier(shape.table)
        highest = self._number(sql.SQL("SELECT max({}) FROM {}").format(key, table))
        counted = sql.SQL("SELECT pg_sequence_last_value({}::regclass)").format(self._sequence(shape))
        return max(highest, self._number(counted))

    def _sequence(self, shape: Shape) -> str | None:
        if len(shape.key) != 1:
            return None
        quoted = sql.Identifier(shape.table).as_string(self.connection)
        row = self.connection.execute(
            "SELECT pg_get_serial_sequence(%s, %s)", [quoted, shape.key[0]]
        ).fetchone()
        return row[0] if row else None

    def _number(self, query: sql.Composed) -> int:
        row = self.connection.execute(query).fetchone()
        return row[0] or 0 if row else 0


class PostgresSource(_Postgres):
    """A PostgreSQL database that is read in one snapshot."""

    def __init__(self, url: str) -> None:
        """Connect and take the snapshot. Raises psycopg.Error."""
        super().__init__(
            url, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SELECT pg_current_snapshot()"
        )


class PostgresTarget(_Postgres):
    """A PostgreSQL database that is filled in one transaction."""

    def __init__(self, url: str) -> None:
        """Connect and begin. Raises psycopg.Error."""
        super().__init__(
            url, "BEGIN", f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'", "SET CONSTRAINTS ALL DEFERRED"
        )

    def lock(self, shapes: list[Shape]) -> None:
        """Keep every other writer out of the tables until the transaction ends; readers stay."""
        tables = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(shape.table for shape in shapes))
        self.connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(tables))

    def clear(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""
        delete = sql.SQL("DELETE FROM {}").format(sql.Identifier(shape.table))
        return self.connection.execute(delete).rowcount

    @contextmanager
    def copy_in(self, shape: Shape, *, binary: bool) -> Iterator[psycopg.Copy]:
        """Take rows of the table as a COPY stream: binary as it comes, or row by row."""
        columns = sql.SQL(", ").join(map(sql.Identifier, shape.names))
        copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
            sql.Identifier(shape.table), columns, sql.SQL("BINARY" if binary else "TEXT")
        )
        with self.connection.cursor() as cursor, cursor.copy(copy) as stream:
            yield stream

    def start_ids_after(self, shape: Shape, number: int) -> None:
        """Let the sequence behind the key start above `number`; without one, nothing."""
        sequence = self._sequence(shape)
        if sequence is not None:
            self.connection.execute("SELECT setval(%s::regclass, %s)", [sequence, number])

    def commit(self) -> None:
        """Make it all so, at once. Deferred foreign keys are checked here."""
        self.connection.execute("COMMIT")


def _select(shape: Shape, columns: sql.Composable) -> sql.Composed:
    key = sql.SQL(", ").join(_as_ordered(shape, name) for name in shape.key)
    return sql.SQL("SELECT {} FROM {} ORDER BY {}").format(columns, sql.Identifier(shape.table), key)


def _as_ordered(shape: Shape, name: str) -> sql.Composable:
    column = sql.Identifier(name)
    # By bytes: two servers, and SQLite, may each sort text by another collation.
    text = shape.columns[name].startswith(("text", "character"))
    return sql.SQL('{} COLLATE "C"').format(column) if text else column


def _as_read(shape: Shape, name: str) -> sql.Composable:
    column = sql.Identifier(name)
    return sql.SQL("{}::text").format(column) if shape.columns[name] in JSON_TYPES else column
