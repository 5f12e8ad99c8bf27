"""A transaction of the lease's holder on PostgreSQL: rows, fences, captures, and the row that decides."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from strangler.takeover.engines import Blocked
from strangler.takeover.postgres_archive import give_away, needing_rights
from strangler.takeover.postgres_queries import TableTrigger, one, triggers_of
from strangler.takeover.postgres_schema import (
    FENCE,
    OWN_CONSTRAINTS,
    RECORDS,
    START_IDS,
    capture_functions,
    capture_triggers,
    fence_trigger,
    filling_gaps,
    log_of,
    log_table,
    names,
)
from strangler.takeover.postgres_writers import CONTROL, FORGET, NOTING, noting_trigger
from strangler.takeover.records import LeasedRecords
from strangler.takeover.shape import Shape
from strangler.takeover.standard_sql import identifier
from strangler.takeover.state import Lease, Note, decode, encode

CAN_REPLACE_TRIGGERS = 140000
# Whoever keeps writers out and is stopped, or cut off, keeps them out no longer than this.
LOCK = "SET LOCAL idle_in_transaction_session_timeout = '10s'; LOCK TABLE {} IN {} MODE"

Holders = Callable[[list[str], bool], tuple[str, ...]]  # who keeps locks on tables (readers too?), as text
Write = Callable[[psycopg.Copy], None]


class PostgresTransaction(LeasedRecords):
    """A transaction of the lease's holder."""

    _connection: psycopg.Connection

    def __init__(self, connection: psycopg.Connection, lease: Lease, holders: Holders) -> None:
        super().__init__(RECORDS, connection, lease)
        self._holders = holders

    def lock_out_writers(self, shapes: Sequence[Shape]) -> None:
        """Wait until every writer of the tables has ended, and let no other begin. Raises Blocked."""
        self._lock(shapes, "SHARE ROW EXCLUSIVE", readers=False)

    def lock_out_everybody(self, shapes: Sequence[Shape]) -> None:
        """Wait until nobody reads or writes the tables any more. Raises Blocked, Forbidden."""
        with needing_rights():
            self._lock(shapes, "ACCESS EXCLUSIVE", readers=True)

    def empty(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""
        delete = sql.SQL("DELETE FROM {}").format(sql.Identifier(shape.table))
        return self._connection.execute(delete).rowcount

    def delete(
        self, shape: Shape, key: Sequence[str], keys: Iterator[tuple[Any, ...]], keep: Sequence[str] = ()
    ) -> int:
        """Delete the rows with these keys; return how many keys there were. `keep` is for `put_back`."""
        return self._delete(shape, key, keep, lambda copy: _write_rows(copy, keys), binary=False)

    def delete_blocks(
        self, shape: Shape, key: Sequence[str], keys: Iterator[bytes], keep: Sequence[str] = ()
    ) -> int:
        """Delete the rows with these keys, a binary COPY stream; return how many keys there were."""
        return self._delete(shape, key, keep, lambda copy: _write_blocks(copy, keys), binary=True)

    def put_back(self, shape: Shape, key: Sequence[str], keep: Sequence[str]) -> None:
        """Give rows that are there again the values of `keep` that they had when `delete` took them."""
        values = sql.SQL(", ").join(sql.SQL("{0} = kept.{0}").format(sql.Identifier(name)) for name in keep)
        self._connection.execute(
            sql.SQL("UPDATE {} AS rows SET {} FROM {} AS kept WHERE {}").format(
                sql.Identifier(shape.table), values, _kept(shape), _same(key, "kept")
            )
        )

    def insert(self, shape: Shape, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
        """Insert rows as they come; return how many. A row that is already there is an error."""
        target = sql.Identifier(shape.table)
        return self._copy_in(target, columns, lambda copy: _write_rows(copy, rows), binary=False)

    def insert_blocks(self, shape: Shape, columns: Sequence[str], blocks: Iterator[bytes]) -> int:
        """Insert rows from a binary COPY stream; return how many."""
        target = sql.Identifier(shape.table)
        return self._copy_in(target, columns, lambda copy: _write_blocks(copy, blocks), binary=True)

    def fill_gaps(self, shape: Shape) -> None:
        """Give every row of a table the rows that its parts lack."""
        for statement in filling_gaps(shape):
            self._connection.execute(statement)

    def start_capture(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Log the key of every row that is written from now on."""
        self._make_way(shapes, {name for shape in shapes for name in capture_triggers(shape)})
        setting = {each.table for each in self._triggers(shapes) if each.may_set_keys}
        for shape in shapes:
            triggers = capture_triggers(shape, keys_set_by_triggers=shape.table in setting)
            made = (self._how + statement for statement in triggers.values())
            enabled = (_enabled("ALWAYS", shape.table, name) for name in triggers)
            # Made once and then left alone: to alter it would wait for whoever reads it.
            log = [] if self._logged(shape) else [log_table(shape)]
            self._all([*log, *capture_functions(shape), *made, *enabled])

    def stop_capture(self, shapes: Sequence[Shape]) -> None:
        """Log nothing more, and note no writers. The logs stay."""
        self._disable(shapes, {NOTING, *(name for shape in shapes for name in capture_triggers(shape))})

    def start_noting_writers(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Note from now on who writes, and refuse nobody; forget who was noted before."""
        self._connection.execute(CONTROL)
        self._connection.execute(FORGET, [takeover])
        self._make_way(shapes, {NOTING})
        how = self._how
        self._all(
            statement
            for shape in shapes
            for statement in (
                how + noting_trigger(shape.table, takeover),
                _enabled("ALWAYS", shape.table, NOTING),
            )
        )

    def stop_noting_writers(self, shapes: Sequence[Shape]) -> None:
        """Note nobody any more. Who was noted stays listed."""
        self._disable(shapes, {NOTING})

    def fence(self, shapes: Sequence[Shape], takeover: str, epoch: int) -> None:
        """Refuse every write to the tables but the lease holder's."""
        self._make_way(shapes, {FENCE})
        how = self._how
        self._all(
            statement
            for shape in shapes
            for statement in (
                how + fence_trigger(shape.table, takeover, epoch),
                _enabled("ALWAYS", shape.table, FENCE),
            )
        )

    def lift_fence(self, shapes: Sequence[Shape]) -> None:
        """Refuse no longer. Disabled, not dropped: DROP TRIGGER would wait for readers too."""
        self._disable(shapes, {FENCE})

    def start_ids_after(self, numbers: Mapping[str, int]) -> None:
        """Let the sequences of each table start above its number, or where they are."""
        self._connection.execute(
            START_IDS, [[identifier(table) for table in numbers], list(numbers.values())]
        )

    def position(self) -> str:
        """Return the snapshot of now: whoever writes once this is committed is not seen by it."""
        found: str = one(self._connection.execute("SELECT pg_current_snapshot()::text"))
        return found

    def loosen(self, shapes: Sequence[Shape]) -> None:
        """Drop the foreign keys between the tables, and remember them, until `tighten`."""
        tables = [identifier(shape.table) for shape in shapes]
        dropped = self._connection.execute(OWN_CONSTRAINTS, [tables, tables]).fetchall()
        for table, name, _ in dropped:
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            self._connection.execute(statement.format(sql.SQL(table), sql.Identifier(name)))
        known = decode(self.note(Note.CONSTRAINTS) or "[]", list[tuple[str, str, str]])
        self.keep(Note.CONSTRAINTS, encode([*known, *dropped]))

    def tighten(self, shapes: Sequence[Shape]) -> None:
        """Make the foreign keys again; every row that is there is checked."""
        for table, name, definition in decode(
            self.note(Note.CONSTRAINTS) or "[]", list[tuple[str, str, str]]
        ):
            statement = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
            self._connection.execute(
                statement.format(sql.SQL(table), sql.Identifier(name), sql.SQL(definition))
            )
        self.forget(Note.CONSTRAINTS)

    def forget_log(self, shapes: Sequence[Shape], position: str) -> None:
        """Delete the entries that `position` has seen."""
        for shape in shapes:
            self._connection.execute(
                sql.SQL("DELETE FROM {} WHERE pg_visible_in_snapshot(strangler_xid, {}::pg_snapshot)").format(
                    log_of(shape.table), sql.Literal(position)
                )
            )

    def archive(self, shape: Shape, name: str) -> None:
        """Call a table `name` from now on, without the kit's triggers and log. Raises Forbidden."""
        with needing_rights():
            self._all(
                [
                    *self._dropped(shape, {FENCE, NOTING, *capture_triggers(shape)}),
                    sql.SQL("DROP TABLE IF EXISTS {}").format(log_of(shape.table)),
                    sql.SQL("ALTER TABLE {} RENAME TO {}").format(
                        sql.Identifier(shape.table), sql.Identifier(name)
                    ),
                ]
            )

    def give_away(self, tables: Sequence[str]) -> tuple[str, ...]:
        """Make the kit's role the owner of tables, which their owners may go on reading. Raises Forbidden.

        Return those of the former owners who can undo it all the same.
        """
        with needing_rights():
            return give_away(self._connection, tables)

    def drop(self, tables: Sequence[str]) -> None:
        """Drop tables with all their rows. Raises Forbidden."""
        listed = sql.SQL(", ").join(map(sql.Identifier, tables))
        with needing_rights():
            self._connection.execute(sql.SQL("DROP TABLE {}").format(listed))

    def dissolve(self, shapes: Sequence[Shape]) -> None:
        """Stop the capture, drop the logs and forget everything the takeover remembers here but its lease."""
        wanted = {NOTING, *(name for shape in shapes for name in capture_triggers(shape))}
        self._all(statement for shape in shapes for statement in self._dropped(shape, wanted))
        self._all(sql.SQL("DROP TABLE IF EXISTS {}").format(log_of(shape.table)) for shape in shapes)
        self._records.forget_all(self._connection, self._lease.takeover)

    def _delete(
        self, shape: Shape, key: Sequence[str], keep: Sequence[str], write: Write, *, binary: bool
    ) -> int:
        dirty = sql.Identifier(f"strangler_dirty_{shape.table}")
        self._empty_aside(dirty, shape, key)
        keys = self._copy_in(dirty, key, write, binary=binary)
        delete = sql.SQL("DELETE FROM {} AS rows USING {} AS dirty WHERE {}").format(
            sql.Identifier(shape.table), dirty, _same(key, "dirty")
        )
        if keep:
            kept = (*key, *keep)
            self._empty_aside(_kept(shape), shape, kept)
            delete = sql.SQL("WITH gone AS ({} RETURNING {}) INSERT INTO {} SELECT * FROM gone").format(
                delete, names(kept, "rows"), _kept(shape)
            )
        self._connection.execute(delete)
        return keys

    def _empty_aside(self, aside: sql.Identifier, shape: Shape, columns: Sequence[str]) -> None:
        """Make a table that lives as long as the connection, or empty it; every commit empties it."""
        typed = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in zip(columns, shape.types(columns), strict=True)
        )
        self._connection.execute(
            sql.SQL(
                "CREATE TEMPORARY TABLE IF NOT EXISTS {0} ({1}) ON COMMIT DELETE ROWS; DELETE FROM {0}"
            ).format(aside, typed)
        )

    def _copy_in(self, table: sql.Identifier, columns: Sequence[str], write: Write, *, binary: bool) -> int:
        copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
            table, names(tuple(columns)), sql.SQL("BINARY" if binary else "TEXT")
        )
        with self._connection.cursor() as cursor:
            with cursor.copy(copy) as stream:
                write(stream)
            return cursor.rowcount

    def _triggers(self, shapes: Sequence[Shape]) -> list[TableTrigger]:
        return triggers_of(self._connection, (shape.table for shape in shapes))

    def _logged(self, shape: Shape) -> bool:
        log = log_of(shape.table).as_string()
        return bool(one(self._connection.execute("SELECT to_regclass(%s) IS NOT NULL", [log])))

    def _make_way(self, shapes: Sequence[Shape], wanted: set[str]) -> None:
        """Drop disabled triggers that are to be made anew, where none can be replaced. Raises Blocked."""
        if self._connection.info.server_version >= CAN_REPLACE_TRIGGERS:
            return
        dropped = [statement for shape in shapes for statement in self._dropped(shape, wanted)]
        if dropped:
            self._lock(shapes, "ACCESS EXCLUSIVE", readers=True)  # as DROP does, to say who is in the way
            self._all(dropped)

    def _dropped(self, shape: Shape, wanted: set[str]) -> list[sql.Composed]:
        return [
            sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(each.name), sql.Identifier(each.table))
            for each in self._triggers([shape])
            if each.name in wanted
        ]

    def _lock(self, shapes: Sequence[Shape], mode: str, *, readers: bool) -> None:
        tables = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(shape.table for shape in shapes))
        try:
            self._connection.execute(sql.SQL(LOCK).format(tables, sql.SQL(mode)))
        except psycopg.errors.LockNotAvailable:
            raise Blocked(self._holders([identifier(shape.table) for shape in shapes], readers)) from None

    def _disable(self, shapes: Sequence[Shape], wanted: set[str]) -> None:
        """Disable triggers. Not dropped: DROP TRIGGER would wait for readers too, and keep others out."""
        self._all(
            sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(
                sql.Identifier(each.table), sql.Identifier(each.name)
            )
            for each in self._triggers(shapes)
            if each.name in wanted
        )

    @property
    def _how(self) -> sql.Composed:
        replacing = self._connection.info.server_version >= CAN_REPLACE_TRIGGERS
        return sql.SQL("CREATE OR REPLACE " if replacing else "CREATE ").format()

    def _all(self, statements: Iterable[sql.Composed]) -> None:
        """Run statements in one round trip."""
        together = sql.SQL("; ").join(statements)
        if together.as_string():
            self._connection.execute(together)


def _enabled(how: str, table: str, trigger: str) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} ENABLE {} TRIGGER {}").format(
        sql.Identifier(table), sql.SQL(how), sql.Identifier(trigger)
    )


def _kept(shape: Shape) -> sql.Identifier:
    return sql.Identifier(f"strangler_kept_{shape.table}")


def _same(key: Sequence[str], alias: str) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("rows.{0} = {1}.{0}").format(sql.Identifier(name), sql.Identifier(alias)) for name in key
    )


def _write_rows(copy: psycopg.Copy, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        copy.write_row(row)


def _write_blocks(copy: psycopg.Copy, blocks: Iterable[bytes]) -> None:
    for block in blocks:
        copy.write(block)
