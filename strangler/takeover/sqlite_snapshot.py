"""A SQLite file at one moment. There is one writer at a time, so a log's numbers are in the order of commits,
and a number is a position.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strangler.takeover.engines import Changes, Reference, Trigger
from strangler.takeover.seen import Seen
from strangler.takeover.shape import Column, Shape, described
from strangler.takeover.sqlite_queries import (
    between,
    counted_ids,
    epoch_said,
    has,
    logged_keys,
    position_of,
    stored_columns,
)
from strangler.takeover.sqlite_schema import (
    EVENTS,
    OURS,
    by_bytes,
    capture_triggers,
    listed,
    rows_of,
    selected,
)
from strangler.takeover.sqlite_writers import SEEN
from strangler.takeover.standard_sql import identifier
from strangler.takeover.state import Key, decode


@dataclass(frozen=True, slots=True)
class SqliteStream:
    """The rows of one query."""

    connection: sqlite3.Connection
    query: str
    parameters: tuple[Any, ...]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows, one in memory at a time."""
        yield from self.connection.execute(self.query, self.parameters)


@dataclass(frozen=True, slots=True)
class SqliteLookups:
    """The rows that one query finds for each of many keys."""

    connection: sqlite3.Connection
    query: str
    keys: Sequence[tuple[Any, ...]]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows, one in memory at a time."""
        for key in self.keys:
            yield from self.connection.execute(self.query, key)


class SqliteSnapshot:
    """A SQLite file at one moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def position(self) -> str:
        """Return the last number of every log, as JSON."""
        return position_of(self._connection)

    def changes(self, shapes: Sequence[Shape], since: str) -> Mapping[str, Changes]:
        """Return what was logged after `since`, for each table that has anything."""
        seen, now = decode(since, dict[str, int]), decode(self.position, dict[str, int])
        return {
            shape.table: Changes(now[shape.table] - seen.get(shape.table, 0))
            for shape in shapes
            if now.get(shape.table, 0) > seen.get(shape.table, 0)
        }

    def dirty_keys(self, shape: Shape, since: str, upto: Key | None) -> SqliteStream:
        """Return the keys logged after `since`, each once; up to `upto` where there is one."""
        return SqliteStream(self._connection, *logged_keys(shape, since, upto))

    def dirty_rows(
        self, shape: Shape, columns: Sequence[Column], since: str, upto: Key | None
    ) -> SqliteStream:
        """Return the rows that have those keys now."""
        logged, parameters = logged_keys(shape, since, upto)
        query = f"SELECT {selected(columns)} FROM {rows_of(shape)} WHERE ({listed(shape.key)}) IN ({logged})"
        return SqliteStream(self._connection, query, parameters)

    def bound(self, shape: Shape, after: Key | None, rows: int) -> Key | None:
        """Return the key `rows` rows after `after`, None where there are fewer."""
        where, parameters = between(shape, after, None)
        found: Key | None = self._connection.execute(
            f"SELECT {listed(shape.key)} FROM {identifier(shape.table)}{where}"
            f" ORDER BY {by_bytes(shape)} LIMIT 1 OFFSET {rows - 1}",
            parameters,
        ).fetchone()
        return found

    def chunk(
        self, shape: Shape, columns: Sequence[Column], after: Key | None, upto: Key | None, *, ordered: bool
    ) -> SqliteStream:
        """Return the rows with keys after `after` up to `upto`."""
        where, parameters = between(shape, after, upto)
        order = f" ORDER BY {by_bytes(shape)}" if ordered else ""
        query = f"SELECT {selected(columns)} FROM {rows_of(shape)}{where}{order}"
        return SqliteStream(self._connection, query, parameters)

    def having(
        self, shape: Shape, columns: Sequence[Column], keys: Sequence[tuple[Any, ...]]
    ) -> SqliteLookups:
        """Return the rows that have one of these keys."""
        query = (
            f"SELECT {selected(columns)} FROM {rows_of(shape)}"
            f" WHERE ({listed(shape.key)}) = ({', '.join('?' * len(shape.key))})"
        )
        return SqliteLookups(self._connection, query, keys)

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""
        return self._number(f"SELECT count(*) FROM {identifier(shape.table)}")

    def highest_ids(self, shapes: Sequence[Shape]) -> Mapping[str, int]:
        """Return the highest id ever given out for each table: by AUTOINCREMENT's count, or by the rows."""
        return {shape.table: self._highest_id(shape) for shape in shapes if _has_ids(shape)}

    def _highest_id(self, shape: Shape) -> int:
        highest = self._number(f"SELECT max({identifier(shape.key[0])}) FROM {identifier(shape.table)}")
        return max(highest, counted_ids(self._connection, shape.table) or 0)

    def missing_capture(self, shapes: Sequence[Shape], takeover: str) -> Mapping[str, str]:
        """Return the tables whose capture is not whole, each with what is missing."""
        there = self._triggers()
        missing = {}
        for shape in shapes:
            gone = [name for name, text in capture_triggers(shape) if there.get(name) != text]
            if gone:
                missing[shape.table] = f"trigger {', '.join(gone)} is not as it was made"
        return missing

    def described(self, shapes: Sequence[Shape]) -> Mapping[str, str]:
        """Return the columns that the tables have at this moment, as `Shape.described`."""
        return {shape.table: described(stored_columns(self._connection, shape.table)) for shape in shapes}

    def fence_epoch(self, shapes: Sequence[Shape]) -> int | None:
        """Return the epoch that fences every one of the tables, None where a table is open."""
        there = self._triggers()
        epochs = set()
        for shape in shapes:
            for event in ("insert", "update", "delete"):
                text = there.get(f"strangler_fence_{event}_{shape.table}", "")
                epochs.add(epoch_said(text))
        return max(epochs) if epochs and None not in epochs else None  # type: ignore[type-var]

    def notes_writers(self, shapes: Sequence[Shape]) -> bool:
        """Return whether everybody who writes one of the tables is noted."""
        there = self._triggers().keys()
        return all(
            f"strangler_writers_{event}_{shape.table}" in there for shape in shapes for event in EVENTS
        )

    def writers_seen(self, takeover: str) -> Sequence[Seen]:
        """Return everybody who was noted, each once a table."""
        if not has(self._connection, "strangler_writer"):
            return []
        return [Seen(*row) for row in self._connection.execute(SEEN, [takeover])]

    def triggers(self, table: str) -> Sequence[Trigger]:
        """Return a table's triggers that are not the kit's."""
        rows = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", [table]
        )
        return [Trigger(table, name) for (name,) in rows if not name.startswith(OURS)]

    def references(self) -> Sequence[Reference]:
        """Return every foreign key of the database."""
        rows = self._connection.execute(
            """SELECT m.name, f.id, f."from", f."table", f.on_delete, f.on_update
               FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table'"""
        )
        return [
            # SQLite can defer every foreign key for one transaction, whatever was declared.
            Reference(table, (column,), to, on_delete, on_update, deferred=True)
            for table, _, column, to, on_delete, on_update in rows
        ]

    def sized(self, shape: Shape) -> int:
        """Return nothing: rows are handed on one at a time."""
        return 0

    def _triggers(self) -> dict[str, str]:
        return dict(
            self._connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        )

    def _number(self, query: str) -> int:
        return self._connection.execute(query).fetchone()[0] or 0


def _has_ids(shape: Shape) -> bool:
    return len(shape.key) == 1 and "INT" in shape.columns[shape.key[0]].upper()
