"""A transaction of the lease's holder on SQLite: rows, fences, captures, and the row that decides."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from strangler.takeover.records import LeasedRecords
from strangler.takeover.shape import Shape
from strangler.takeover.sqlite_queries import counted_ids, position_of
from strangler.takeover.sqlite_schema import (
    RECORDS,
    capture_triggers,
    drop_triggers,
    fence_triggers,
    filling_gaps,
    listed,
    log_of,
    log_table,
)
from strangler.takeover.sqlite_writers import CONTROL, FORGET, noting_triggers
from strangler.takeover.standard_sql import identifier
from strangler.takeover.state import Lease, decode


class SqliteTransaction(LeasedRecords):
    """The one write transaction of a SQLite file."""

    _connection: sqlite3.Connection

    def __init__(self, connection: sqlite3.Connection, lease: Lease) -> None:
        super().__init__(RECORDS, connection, lease)

    def lock_out_writers(self, shapes: Sequence[Shape]) -> None:
        """Do nothing: the write lock of the file is held since the beginning."""

    def empty(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""
        return self._connection.execute(f"DELETE FROM {identifier(shape.table)}").rowcount

    def delete(
        self, shape: Shape, key: Sequence[str], keys: Iterator[tuple[Any, ...]], keep: Sequence[str] = ()
    ) -> int:
        """Delete the rows with these keys; return how many keys there were. `keep` is for `put_back`."""
        where = " AND ".join(f"{identifier(name)} IS ?" for name in key)
        delete = f"DELETE FROM {identifier(shape.table)} WHERE {where}"
        counted = _Counting(keys)
        if not keep:
            self._connection.executemany(delete, counted)
            return counted.rows
        kept, columns = _kept(shape), listed((*key, *keep))
        self._connection.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {kept} ({columns})")
        self._connection.execute(f"DELETE FROM temp.{kept}")
        for each in counted:
            self._connection.execute(
                f"INSERT INTO temp.{kept} SELECT {columns} FROM {identifier(shape.table)} WHERE {where}", each
            )
            self._connection.execute(delete, each)
        return counted.rows

    def put_back(self, shape: Shape, key: Sequence[str], keep: Sequence[str]) -> None:
        """Give rows that are there again the values of `keep` that they had when `delete` took them."""
        values = ", ".join(f"{identifier(name)} = kept.{identifier(name)}" for name in keep)
        table = identifier(shape.table)
        same = " AND ".join(f"{table}.{identifier(name)} IS kept.{identifier(name)}" for name in key)
        self._connection.execute(f"UPDATE {table} SET {values} FROM temp.{_kept(shape)} AS kept WHERE {same}")

    def insert(self, shape: Shape, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
        """Insert rows as they come; return how many. A row that is already there is an error."""
        places = ", ".join("?" * len(columns))
        counted = _Counting(rows)
        self._connection.executemany(
            f"INSERT INTO {identifier(shape.table)} ({listed(columns)}) VALUES ({places})", counted
        )
        return counted.rows

    def fill_gaps(self, shape: Shape) -> None:
        """Give every row of a table the rows that its parts lack."""
        for statement in filling_gaps(shape):
            self._connection.execute(statement)

    def start_capture(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Log the key of every row that is written from now on."""
        self._drop("capture", shapes)
        for shape in shapes:
            self._connection.execute(log_table(shape))
            for _, text in capture_triggers(shape):
                self._connection.execute(text)

    def stop_capture(self, shapes: Sequence[Shape]) -> None:
        """Log nothing more, and note no writers. The logs stay."""
        self._drop("capture", shapes)
        self.stop_noting_writers(shapes)

    def start_noting_writers(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Note from now on who writes, and refuse nobody; forget who was noted before."""
        self.stop_noting_writers(shapes)
        self._connection.execute(CONTROL)
        self._connection.execute(FORGET, [takeover])
        for shape in shapes:
            for _, text in noting_triggers(shape, takeover):
                self._connection.execute(text)

    def stop_noting_writers(self, shapes: Sequence[Shape]) -> None:
        """Note nobody any more. Who was noted stays listed."""
        self._drop("writers", shapes)

    def fence(self, shapes: Sequence[Shape], takeover: str, epoch: int) -> None:
        """Refuse every write to the tables but the lease holder's."""
        self.lift_fence(shapes)
        for shape in shapes:
            for _, text in fence_triggers(shape, takeover, epoch):
                self._connection.execute(text)

    def lift_fence(self, shapes: Sequence[Shape]) -> None:
        """Refuse no longer."""
        self._drop("fence", shapes)

    def start_ids_after(self, numbers: Mapping[str, int]) -> None:
        """Let AUTOINCREMENT start above a table's number; one without it takes the highest key plus one."""
        for table, number in numbers.items():
            counted = counted_ids(self._connection, table)
            if counted is None or counted >= number:
                continue
            self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table])
            self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, number])

    def position(self) -> str:
        """Return what the logs have seen when this transaction is committed, as `Snapshot.position`."""
        return position_of(self._connection)

    def loosen(self, shapes: Sequence[Shape]) -> None:
        """Do nothing: here it is the transaction that checks foreign keys, or not."""

    def tighten(self, shapes: Sequence[Shape]) -> None:
        """Look for rows whose parents are missing; raise sqlite3.IntegrityError, naming the first."""
        for shape in shapes:
            found = self._connection.execute("SELECT * FROM pragma_foreign_key_check(?)", [shape.table])
            for table, rowid, parent, _ in found:
                raise sqlite3.IntegrityError(f"row {rowid} of {table} refers to a row that {parent} lacks")

    def forget_log(self, shapes: Sequence[Shape], position: str) -> None:
        """Delete the entries that `position` has seen."""
        seen = decode(position, dict[str, int])
        for shape in shapes:
            self._connection.execute(
                f"DELETE FROM {identifier(log_of(shape.table))} WHERE seq <= ?", [seen.get(shape.table, 0)]
            )

    def lock_out_everybody(self, shapes: Sequence[Shape]) -> None:
        """Do nothing: a reader of the file keeps the moment that he has."""

    def archive(self, shape: Shape, name: str) -> None:
        """Call a table `name` from now on, without the kit's triggers and log."""
        self.stop_capture([shape])
        self.lift_fence([shape])
        self._connection.execute(f"DROP TABLE IF EXISTS {identifier(log_of(shape.table))}")
        self._connection.execute(f"ALTER TABLE {identifier(shape.table)} RENAME TO {identifier(name)}")

    def give_away(self, tables: Sequence[str]) -> tuple[str, ...]:
        """Do nothing: who may write the file may do everything."""
        return ()

    def drop(self, tables: Sequence[str]) -> None:
        """Drop tables with all their rows."""
        for table in tables:
            self._connection.execute(f"DROP TABLE {identifier(table)}")

    def dissolve(self, shapes: Sequence[Shape]) -> None:
        """Stop the capture, drop the logs and forget everything the takeover remembers here but its lease."""
        self.stop_capture(shapes)
        for shape in shapes:
            self._connection.execute(f"DROP TABLE IF EXISTS {identifier(log_of(shape.table))}")
        self._records.forget_all(self._connection, self._lease.takeover)

    def _drop(self, kind: str, shapes: Sequence[Shape]) -> None:
        for shape in shapes:
            for statement in drop_triggers(kind, shape.table):
                self._connection.execute(statement)


def _kept(shape: Shape) -> str:
    return identifier(f"strangler_kept_{shape.table}")


class _Counting:
    """Rows that are counted while they pass."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self.rows = 0
        self._rows = iter(rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row = next(self._rows)
        self.rows += 1
        return row
