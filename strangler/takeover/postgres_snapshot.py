"""A PostgreSQL database at one moment: a snapshot, which is also the position of what its logs have seen.

What one snapshot sees and an earlier one did not is exactly what was committed in between: numbers are
given before commits, and so say nothing of their order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from strangler.takeover.engines import Changes, Reference, Trigger
from strangler.takeover.postgres_copy import copy_blocks
from strangler.takeover.postgres_queries import (
    TableTrigger,
    between,
    highest_given_out,
    key_by_bytes,
    logged_after,
    logged_keys,
    one,
    triggers_of,
    with_keys,
)
from strangler.takeover.postgres_schema import (
    ACTIONS,
    COLUMNS_NOW,
    FENCE,
    REFERENCES,
    SEQUENCES,
    capture_triggers,
    log_of,
    names,
    rows_of,
    selected,
)
from strangler.takeover.postgres_writers import NOTING, SEEN
from strangler.takeover.seen import Seen
from strangler.takeover.shape import Column, Shape, described
from strangler.takeover.standard_sql import identifier
from strangler.takeover.state import Key

MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()::text"


@dataclass(frozen=True, slots=True)
class PostgresStream:
    """The rows of one query."""

    connection: psycopg.Connection
    query: sql.Composed

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows, one in memory at a time."""
        with self.connection.cursor() as cursor:
            yield from cursor.stream(self.query)

    def blocks(self) -> Iterator[bytes]:
        """Return the rows as a binary COPY stream."""
        copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(self.query)
        return copy_blocks(self.connection, copy.as_bytes(self.connection))


class PostgresSnapshot:
    """A PostgreSQL database at one moment."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Open a moment on a connection that has no transaction."""
        self.connection = connection
        self._position: str = one(connection.execute(MOMENT).set_result(-1))

    @property
    def position(self) -> str:
        """Return the snapshot itself, as PostgreSQL writes it."""
        return self._position

    def changes(self, shapes: Sequence[Shape], since: str) -> Mapping[str, Changes]:
        """Return what was logged after `since`, for each table that has anything."""
        questions = (
            sql.SQL(
                "SELECT {}, coalesce(sum(cardinality({key})), 0)::bigint,"
                " count(*) FILTER (WHERE {key} IS NULL) FROM {} l WHERE {}"
            ).format(
                sql.Literal(shape.table),
                log_of(shape.table),
                logged_after(since),
                key=sql.Identifier("l", shape.key[0]),
            )
            for shape in shapes
        )
        rows = self.connection.execute(sql.SQL(" UNION ALL ").join(questions))
        return {
            table: Changes(keys + emptied, emptied > 0) for table, keys, emptied in rows if keys or emptied
        }

    def dirty_keys(self, shape: Shape, since: str, upto: Key | None) -> PostgresStream:
        """Return the keys logged after `since`, each once; up to `upto` where there is one."""
        return PostgresStream(self.connection, logged_keys(shape, since, upto))

    def dirty_rows(
        self, shape: Shape, columns: Sequence[Column], since: str, upto: Key | None
    ) -> PostgresStream:
        """Return the rows that have those keys now."""
        query = sql.SQL("SELECT {} FROM ({}) AS dirty JOIN {} AS rows USING ({})").format(
            selected(tuple(columns), "rows"),
            logged_keys(shape, since, upto),
            rows_of(shape),
            names(shape.key),
        )
        return PostgresStream(self.connection, query)

    def bound(self, shape: Shape, after: Key | None, rows: int) -> Key | None:
        """Return the key `rows` rows after `after`, None where there are fewer."""
        key = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in shape.key)
        query = sql.SQL("SELECT {} FROM {} {} ORDER BY {} LIMIT 1 OFFSET {}").format(
            key, sql.Identifier(shape.table), between(shape, after, None), names(shape.key), rows - 1
        )
        return self.connection.execute(query).fetchone()

    def chunk(
        self, shape: Shape, columns: Sequence[Column], after: Key | None, upto: Key | None, *, ordered: bool
    ) -> PostgresStream:
        """Return the rows with keys after `after` up to `upto`."""
        order = sql.SQL("ORDER BY {}").format(key_by_bytes(shape)) if ordered else sql.SQL("")
        query = sql.SQL("SELECT {} FROM {} AS rows {} {}").format(
            selected(tuple(columns)),
            rows_of(shape),
            between(shape, after, upto, by_bytes=ordered),
            order,
        )
        return PostgresStream(self.connection, query)

    def having(
        self, shape: Shape, columns: Sequence[Column], keys: Sequence[tuple[Any, ...]]
    ) -> PostgresStream:
        """Return the rows that have one of these keys."""
        query = sql.SQL("SELECT {} {}").format(selected(tuple(columns), "rows"), with_keys(shape, keys))
        return PostgresStream(self.connection, query)

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""
        return self._number(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(shape.table)))

    def highest_ids(self, shapes: Sequence[Shape]) -> Mapping[str, int]:
        """Return the highest id ever given out for each table: by its sequences, or by the rows."""
        sequences: dict[str, dict[str, str]] = {shape.table: {} for shape in shapes}
        named = [identifier(table) for table in sequences]
        for table, column, sequence in self.connection.execute(SEQUENCES, [named]):
            sequences[table][column] = sequence
        questions = [
            question for shape in shapes for question in highest_given_out(shape, sequences[shape.table])
        ]
        highest: dict[str, int] = {}
        if questions:
            for table, number in self.connection.execute(sql.SQL(" UNION ALL ").join(questions)):
                highest[table] = max(highest.get(table, 0), number or 0)
        return highest

    def missing_capture(self, shapes: Sequence[Shape], takeover: str) -> Mapping[str, str]:
        """Return the tables whose capture is not whole, each with what is missing."""
        found = self._triggers(shapes)
        there = {(each.table, each.name) for each in found if each.always}
        missing = _keys_set_unseen(found)
        for shape in shapes:
            gone = [name for name in capture_triggers(shape) if (shape.table, name) not in there]
            if gone:
                missing[shape.table] = f"trigger {', '.join(gone)} is missing or disabled"
        return missing

    def described(self, shapes: Sequence[Shape]) -> Mapping[str, str]:
        """Return the columns that the tables have at this moment, as `Shape.described`."""
        tables = [identifier(shape.table) for shape in shapes]
        found: dict[str, dict[str, str]] = {shape.table: {} for shape in shapes}
        for table, name, kind in self.connection.execute(COLUMNS_NOW, [tables]):
            found[table][name] = kind
        return {table: described(columns) for table, columns in found.items()}

    def fence_epoch(self, shapes: Sequence[Shape]) -> int | None:
        """Return the epoch that fences every one of the tables, None where a table is open."""
        there = {
            each.table: int(each.arguments.split("\\000")[1])
            for each in self._triggers(shapes)
            if each.name == FENCE and each.always
        }
        return max(there.values()) if there.keys() == {shape.table for shape in shapes} else None

    def notes_writers(self, shapes: Sequence[Shape]) -> bool:
        """Return whether everybody who writes one of the tables is noted."""
        noting = {each.table for each in self._triggers(shapes) if each.name == NOTING and each.always}
        return noting == {shape.table for shape in shapes}

    def writers_seen(self, takeover: str) -> Sequence[Seen]:
        """Return everybody who was noted, each once a table."""
        if one(self.connection.execute("SELECT to_regclass('strangler.writer') IS NULL")):
            return []
        return [Seen(*row) for row in self.connection.execute(SEEN, [takeover])]

    def triggers(self, table: str) -> Sequence[Trigger]:
        """Return a table's triggers that are not the kit's."""
        found = triggers_of(self.connection, [table])
        return [Trigger(table, each.name) for each in found if not each.ours]

    def references(self) -> Sequence[Reference]:
        """Return every foreign key of the database."""
        rows = self.connection.execute(REFERENCES)
        return [
            Reference(table, tuple(columns), to, ACTIONS[on_delete], ACTIONS[on_update], deferrable)
            for table, columns, to, on_delete, on_update, deferrable in rows
        ]

    def sized(self, shape: Shape) -> int:
        """Return about how many bytes a row has, what is kept apart from it included; 0 where unknown."""
        return self._number(
            sql.SQL(
                "SELECT (pg_table_size(oid) / greatest(reltuples, 1))::bigint FROM pg_class"
                " WHERE oid = {}::regclass AND reltuples > 0"
            ).format(sql.Literal(identifier(shape.table)))
        )

    def digest(
        self, shape: Shape, columns: Sequence[Column], after: Key | None, upto: Key | None
    ) -> tuple[int, str]:
        """Count the rows with keys after `after` up to `upto`, and sum a hash of each."""
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(hashtextextended(row({})::text, 0)), 0)::text FROM {} AS rows {}"
        ).format(selected(tuple(columns)), rows_of(shape), between(shape, after, upto, by_bytes=True))
        found = self.connection.execute(query).fetchone()
        assert found is not None
        return found[0], found[1]

    def row_digests(
        self, shape: Shape, key: Sequence[str], columns: Sequence[Column], after: Key | None, upto: Key | None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield each row's key as text and the hash of the row, in the order of keys by bytes."""
        query = sql.SQL(
            "SELECT {}, hashtextextended(row({})::text, 0) FROM {} AS rows {} ORDER BY {}"
        ).format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in key),
            selected(tuple(columns)),
            rows_of(shape),
            between(shape, after, upto, by_bytes=True),
            key_by_bytes(shape),
        )
        with self.connection.cursor() as cursor:
            yield from cursor.stream(query)

    def logged_as_text(self, shape: Shape, since: str) -> list[Key]:
        """Return the keys logged after `since`, each once, as text."""
        key = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in shape.key)
        query = sql.SQL("SELECT {} FROM ({}) AS logged").format(key, logged_keys(shape, since, None))
        return self.connection.execute(query).fetchall()

    def digests_having(
        self, shape: Shape, columns: Sequence[Column], keys: Sequence[Key]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the key as text and the hash of each row that has one of these keys, given as text."""
        query = sql.SQL("SELECT {}, hashtextextended(row({})::text, 0) {}").format(
            sql.SQL(", ").join(
                sql.SQL("{}::text").format(sql.Identifier("rows", name)) for name in shape.key
            ),
            selected(tuple(columns), "rows"),
            with_keys(shape, keys),
        )
        with self.connection.cursor() as cursor:
            yield from cursor.stream(query)

    def bound_by_bytes(self, shape: Shape, after: Key | None, rows: int) -> Key | None:
        """Return the key `rows` rows after `after` in an order that every server has, None at the end."""
        key = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in shape.key)
        query = sql.SQL("SELECT {} FROM {} {} ORDER BY {} LIMIT 1 OFFSET {}").format(
            key,
            sql.Identifier(shape.table),
            between(shape, after, None, by_bytes=True),
            key_by_bytes(shape),
            rows - 1,
        )
        return self.connection.execute(query).fetchone()

    def _triggers(self, shapes: Sequence[Shape]) -> list[TableTrigger]:
        return triggers_of(self.connection, (shape.table for shape in shapes))

    def _number(self, query: sql.Composed) -> int:
        row = self.connection.execute(query).fetchone()
        return row[0] or 0 if row else 0


def _keys_set_unseen(triggers: Sequence[TableTrigger]) -> dict[str, str]:
    """Return which tables, where only statements that name the key are looked at, have a trigger that may set
    it all the same.
    """
    looked_at = {each.table for each in triggers if each.ours and each.columns}
    return {
        each.table: f"trigger {each.name} came after the capture and may set keys"
        for each in triggers
        if each.may_set_keys and each.table in looked_at
    }
