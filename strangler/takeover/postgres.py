"""PostgreSQL as a side of a takeover. Values never pass through Python where both sides are it.

A position is a snapshot as PostgreSQL writes it. What one snapshot sees and an earlier one did not is
exactly what was committed in between: numbers are given before commits, and so say nothing of their order.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from proxy.routes import Owner
from strangler.takeover.engines import Blocked, Changes, Engine, LeaseLost, Reference, Trigger
from strangler.takeover.postgres_copy import copy_blocks
from strangler.takeover.postgres_schema import (
    ACTIONS,
    COLUMNS,
    CONTROL,
    FENCE,
    HOLDERS,
    KEY,
    OUR_TRIGGERS,
    OWN_CONSTRAINTS,
    REFERENCES,
    REFERS_TO,
    SESSION,
    TRIGGERS,
    capture_functions,
    capture_triggers,
    fence_trigger,
    log_of,
    log_table,
    names,
)
from strangler.takeover.shape import Shape
from strangler.takeover.state import Key, Lease, Note, Outcome, OwnerRow, decode, encode
from strangler.takeover.values import INTEGERS

CONNECT_SECONDS = 5
WAIT_SECONDS = 20.0
CAN_REPLACE_TRIGGERS = 140000
JSON_TYPES = ("json", "jsonb")


class PostgresStore:
    """One PostgreSQL database."""

    engine = Engine.POSTGRESQL

    def __init__(self, url: str) -> None:
        """Connect. Raises psycopg.Error."""
        self._url = url
        self._reader = self._connect()
        self._writer = self._connect()
        self._claiming: psycopg.Connection | None = None

    @contextmanager
    def snapshot(self) -> Iterator["PostgresSnapshot"]:
        """Open a moment to read."""
        idle = self._reader.info.transaction_status == TransactionStatus.IDLE
        connection = self._reader if idle else self._connect()
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield PostgresSnapshot(connection)
        finally:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            if connection is not self._reader:
                connection.close()

    @contextmanager
    def transaction(
        self, lease: Lease, *, wait: float = WAIT_SECONDS, durable: bool = True, loose: bool = False
    ) -> Iterator["PostgresTransaction"]:
        """Open a transaction that ends committed, or undone where anything was raised. Raises LeaseLost."""
        connection = self._writer
        try:
            connection.execute(
                f"BEGIN; SET LOCAL lock_timeout = '{int(wait * 1000)}ms'; SET CONSTRAINTS ALL DEFERRED;"
                f" SET LOCAL synchronous_commit = {'on' if durable else 'off'}"
            )
            _open_gate(connection, lease)
            yield PostgresTransaction(connection, lease, self._holders)
            connection.execute("COMMIT")
        except psycopg.errors.LockNotAvailable as fault:
            raise Blocked((str(fault).strip().splitlines()[0],)) from None
        finally:
            if connection.info.transaction_status != TransactionStatus.IDLE:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")

    def shape(self, table: str) -> Shape | None:
        """Return the shape of a table, None where there is none."""
        quoted = [_quoted(table)]
        columns: dict[str, str] = dict(self._reader.execute(COLUMNS, quoted).fetchall())
        if not columns:
            return None
        return Shape(
            table=table,
            columns=columns,
            key=tuple(name for (name,) in self._reader.execute(KEY, quoted)),
            refers_to=frozenset(name for (name,) in self._reader.execute(REFERS_TO, quoted)),
        )

    def prepare(self, takeover: str) -> None:
        """Make the takeover's own tables, and its lease at epoch 1. Safe to run again."""
        with self._writer.transaction():
            self._writer.execute("SELECT pg_advisory_xact_lock(hashtext('strangler'))")
            if not self.prepared():
                self._writer.execute(CONTROL)
            self._writer.execute(
                "INSERT INTO strangler.lease VALUES (%s, 1, '', 'nobody') ON CONFLICT DO NOTHING", [takeover]
            )

    def prepared(self) -> bool:
        """Return whether the takeover's own tables are there."""
        return bool(_one(self._reader.execute("SELECT to_regclass('strangler.note') IS NOT NULL")))

    def take_lease(self, takeover: str, token: str, holder: str) -> Lease:
        """Take the lease from whoever has it; his next transaction here is refused."""
        epoch = _one(
            self._writer.execute(
                "UPDATE strangler.lease SET token = %s, holder = %s WHERE takeover = %s RETURNING epoch",
                [token, holder, takeover],
            )
        )
        return Lease(takeover, epoch, token)

    def lease_of(self, takeover: str) -> tuple[int, str] | None:
        """Return the lease's epoch and its holder, None where there is no lease."""
        if not self.prepared():
            return None
        found: tuple[int, str] | None = self._reader.execute(
            "SELECT epoch, holder FROM strangler.lease WHERE takeover = %s", [takeover]
        ).fetchone()
        return found

    def owners(self, takeover: str) -> list[OwnerRow]:
        """Return the rows that decide epochs here."""
        if not self.prepared():
            return []
        rows = self._reader.execute(
            "SELECT epoch, owner, outcome, position FROM strangler.owner WHERE takeover = %s", [takeover]
        )
        return [OwnerRow(epoch, Owner(owner), Outcome(out), place) for epoch, owner, out, place in rows]

    def read_note(self, takeover: str, note: Note) -> str | None:
        """Return a note's text."""
        return _note(self._reader, takeover, note) if self.prepared() else None

    def write_note(self, takeover: str, note: Note, text: str) -> None:
        """Write a note that needs no lease: one that nothing depends on being right."""
        _keep(self._writer, takeover, note, text)

    def tidy_logs(self, shapes: Sequence[Shape]) -> None:
        """Give the room of deleted log entries to new ones."""
        for shape in shapes:
            # Never TRUNCATE: that would take a lock that writers wait for.
            self._writer.execute(sql.SQL("VACUUM (TRUNCATE false) {}").format(log_of(shape.table)))

    def claim(self, name: str) -> str | None:
        """Claim a role until this store is closed; return who has it where another process does.

        The server gives a claim up with its connection, so it outlives no process and no broken network.
        """
        connection = self._claiming = self._claiming or self._connect()
        connection.execute(
            "SELECT set_config('application_name', %s, false)", [f"strangler pid {os.getpid()}"]
        )
        if _one(
            connection.execute("SELECT pg_try_advisory_lock(hashtext('strangler'), hashtext(%s))", [name])
        ):
            return None
        found = connection.execute(
            "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND objid = hashtext(%s)::oid LIMIT 1",
            [name],
        ).fetchone()
        return found[0] if found else "another process"

    def give_up(self, name: str) -> None:
        """Give up a role that was claimed."""
        if self._claiming is not None:
            self._claiming.execute("SELECT pg_advisory_unlock(hashtext('strangler'), hashtext(%s))", [name])

    def holds(self, lease: Lease) -> bool:
        """Return whether a lease is still good here."""
        return bool(
            _one(
                self._reader.execute(
                    "SELECT count(*) FROM strangler.lease WHERE takeover = %s AND token = %s AND epoch = %s",
                    [lease.takeover, lease.token, lease.epoch],
                )
            )
        )

    def close(self) -> None:
        """Close every connection; claims end with it."""
        for connection in (self._reader, self._writer, self._claiming):
            if connection is not None:
                connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(
            self._url, connect_timeout=CONNECT_SECONDS, autocommit=True, application_name="strangler"
        )
        for kind in JSON_TYPES:  # as the text that PostgreSQL writes for it
            connection.adapters.register_loader(kind, TextLoader)
        try:
            connection.execute(SESSION)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _holders(self, tables: list[str]) -> tuple[str, ...]:
        rows = self._reader.execute(HOLDERS, [tables])
        return tuple(f"pid {pid}, {state}, for {age}: {query}" for pid, age, state, query in rows)


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
        self.connection = connection
        self._position: str = _one(connection.execute("SELECT pg_current_snapshot()::text"))

    @property
    def position(self) -> str:
        """Return the snapshot itself, as PostgreSQL writes it."""
        return self._position

    def changes(self, shapes: Sequence[Shape], since: str) -> Mapping[str, Changes]:
        """Return what was logged after `since`, for each table that has anything."""
        questions = (
            sql.SQL("SELECT {}, count(*), count(*) FILTER (WHERE {} IS NULL) FROM {} l WHERE {}").format(
                sql.Literal(shape.table), sql.Identifier(shape.key[0]), log_of(shape.table), _after(since)
            )
            for shape in shapes
        )
        rows = self.connection.execute(sql.SQL(" UNION ALL ").join(questions))
        return {table: Changes(entries, emptied > 0) for table, entries, emptied in rows if entries}

    def dirty_keys(self, shape: Shape, since: str, upto: Key | None) -> PostgresStream:
        """Return the keys logged after `since`, each once; up to `upto` where there is one."""
        return PostgresStream(self.connection, _logged(shape, since, upto))

    def dirty_rows(
        self, shape: Shape, columns: Sequence[str], since: str, upto: Key | None
    ) -> PostgresStream:
        """Return the rows that have those keys now."""
        query = sql.SQL("SELECT {} FROM ({}) AS dirty JOIN {} AS rows USING ({})").format(
            names(tuple(columns), "rows"),
            _logged(shape, since, upto),
            sql.Identifier(shape.table),
            names(shape.key),
        )
        return PostgresStream(self.connection, query)

    def bound(self, shape: Shape, after: Key | None, rows: int) -> Key | None:
        """Return the key `rows` rows after `after`, None where there are fewer."""
        key = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in shape.key)
        query = sql.SQL("SELECT {} FROM {} {} ORDER BY {} LIMIT 1 OFFSET {}").format(
            key, sql.Identifier(shape.table), _between(shape, after, None), names(shape.key), rows - 1
        )
        return self.connection.execute(query).fetchone()

    def chunk(
        self, shape: Shape, columns: Sequence[str], after: Key | None, upto: Key | None, *, ordered: bool
    ) -> PostgresStream:
        """Return the rows with keys after `after` up to `upto`."""
        order = sql.SQL("ORDER BY {}").format(_by_bytes(shape)) if ordered else sql.SQL("")
        query = sql.SQL("SELECT {} FROM {} {} {}").format(
            names(tuple(columns)), sql.Identifier(shape.table), _between(shape, after, upto), order
        )
        return PostgresStream(self.connection, query)

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""
        return self._number(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(shape.table)))

    def highest_id(self, shape: Shape) -> int:
        """Return the highest id ever given out for a table: by its sequence, or by the rows."""
        if len(shape.key) != 1 or shape.columns[shape.key[0]] not in INTEGERS:
            return 0
        key, table = sql.Identifier(shape.key[0]), sql.Identifier(shape.table)
        highest = self._number(sql.SQL("SELECT max({}) FROM {}").format(key, table))
        sequence = _sequence(self.connection, shape)
        # A cached sequence counts what any session may still give out: its cache is below the last value.
        counted = sql.SQL("SELECT pg_sequence_last_value({}::regclass)").format(sequence)
        return max(highest, self._number(counted))

    def missing_capture(self, shapes: Sequence[Shape], takeover: str) -> Mapping[str, str]:
        """Return the tables whose capture is not whole, each with what is missing."""
        there = {(table, name) for table, name, enabled, _ in self._ours(shapes) if enabled == "A"}
        missing = {}
        for shape in shapes:
            gone = [name for name in capture_triggers(shape) if (shape.table, name) not in there]
            if gone:
                missing[shape.table] = f"trigger {', '.join(gone)} is missing or disabled"
        return missing

    def fence_epoch(self, shapes: Sequence[Shape]) -> int | None:
        """Return the epoch that fences every one of the tables, None where a table is open."""
        there = {
            table: int(arguments.split("\\000")[1])
            for table, name, enabled, arguments in self._ours(shapes)
            if name == FENCE and enabled == "A"
        }
        return max(there.values()) if there.keys() == {shape.table for shape in shapes} else None

    def triggers(self, table: str) -> Sequence[Trigger]:
        """Return a table's triggers that are not the kit's."""
        return [Trigger(table, name) for (name,) in self.connection.execute(TRIGGERS, [_quoted(table)])]

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
            ).format(sql.Literal(_quoted(shape.table)))
        )

    def digest(
        self, shape: Shape, columns: Sequence[str], after: Key | None, upto: Key | None
    ) -> tuple[int, str]:
        """Count the rows with keys after `after` up to `upto`, and sum a hash of each."""
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(hashtextextended(row({})::text, 0)), 0)::text FROM {} {}"
        ).format(
            names(tuple(columns)), sql.Identifier(shape.table), _between(shape, after, upto, by_bytes=True)
        )
        found = self.connection.execute(query).fetchone()
        assert found is not None
        return found[0], found[1]

    def row_digests(
        self, shape: Shape, key: Sequence[str], columns: Sequence[str], after: Key | None, upto: Key | None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield each row's key as text and the hash of the row, in the order of keys by bytes."""
        query = sql.SQL("SELECT {}, hashtextextended(row({})::text, 0) FROM {} {} ORDER BY {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in key),
            names(tuple(columns)),
            sql.Identifier(shape.table),
            _between(shape, after, upto, by_bytes=True),
            _by_bytes(shape),
        )
        with self.connection.cursor() as cursor:
            yield from cursor.stream(query)

    def bound_by_bytes(self, shape: Shape, after: Key | None, rows: int) -> Key | None:
        """Return the key `rows` rows after `after` in an order that every server has, None at the end."""
        key = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in shape.key)
        query = sql.SQL("SELECT {} FROM {} {} ORDER BY {} LIMIT 1 OFFSET {}").format(
            key,
            sql.Identifier(shape.table),
            _between(shape, after, None, by_bytes=True),
            _by_bytes(shape),
            rows - 1,
        )
        return self.connection.execute(query).fetchone()

    def _ours(self, shapes: Sequence[Shape]) -> list[tuple[str, str, str, str]]:
        return self.connection.execute(OUR_TRIGGERS, [[_quoted(shape.table) for shape in shapes]]).fetchall()

    def _number(self, query: sql.Composed) -> int:
        row = self.connection.execute(query).fetchone()
        return row[0] or 0 if row else 0


class PostgresTransaction:
    """A transaction of the lease's holder."""

    def __init__(self, connection: psycopg.Connection, lease: Lease, holders: Any) -> None:
        self._connection = connection
        self._lease = lease
        self._holders = holders

    def checkpoint(self) -> str | None:
        """Return the text of the checkpoint note, None where there is none."""
        return self.note(Note.CHECKPOINT)

    def keep(self, note: Note, text: str) -> None:
        """Write a note, in place of the one before."""
        _keep(self._connection, self._lease.takeover, note, text)

    def forget(self, note: Note) -> None:
        """Remove a note."""
        self._connection.execute(
            "DELETE FROM strangler.note WHERE takeover = %s AND name = %s", [self._lease.takeover, note]
        )

    def note(self, note: Note) -> str | None:
        """Return a note's text."""
        return _note(self._connection, self._lease.takeover, note)

    def lock_out_writers(self, shapes: Sequence[Shape]) -> None:
        """Wait until every writer of the tables has ended, and let no other begin. Raises Blocked."""
        tables = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(shape.table for shape in shapes))
        try:
            self._connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(tables))
        except psycopg.errors.LockNotAvailable:
            raise Blocked(self._holders([_quoted(shape.table) for shape in shapes])) from None

    def empty(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""
        delete = sql.SQL("DELETE FROM {}").format(sql.Identifier(shape.table))
        return self._connection.execute(delete).rowcount

    def delete(self, shape: Shape, key: Sequence[str], keys: Iterator[tuple[Any, ...]]) -> int:
        """Delete the rows with these keys; return how many keys there were."""
        return self._delete(shape, key, lambda copy: _write_rows(copy, keys), binary=False)

    def delete_blocks(self, shape: Shape, key: Sequence[str], keys: Iterator[bytes]) -> int:
        """Delete the rows with these keys, a binary COPY stream; return how many keys there were."""
        return self._delete(shape, key, lambda copy: _write_blocks(copy, keys), binary=True)

    def insert(self, shape: Shape, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
        """Insert rows as they come; return how many. A row that is already there is an error."""
        target = sql.Identifier(shape.table)
        return self._copy_in(target, columns, lambda copy: _write_rows(copy, rows), binary=False)

    def insert_blocks(self, shape: Shape, columns: Sequence[str], blocks: Iterator[bytes]) -> int:
        """Insert rows from a binary COPY stream; return how many."""
        target = sql.Identifier(shape.table)
        return self._copy_in(target, columns, lambda copy: _write_blocks(copy, blocks), binary=True)

    def start_capture(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Log the key of every row that is written from now on."""
        self._make_way(shapes, {name for shape in shapes for name in capture_triggers(shape)})
        for shape in shapes:
            triggers = capture_triggers(shape)
            made = (self._how + statement for statement in triggers.values())
            enabled = (_enabled("ALWAYS", shape.table, name) for name in triggers)
            self._all([log_table(shape), *capture_functions(shape), *made, *enabled])

    def stop_capture(self, shapes: Sequence[Shape]) -> None:
        """Log nothing more. The logs stay."""
        self._disable(shapes, {name for shape in shapes for name in capture_triggers(shape)})

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

    def decide(self, row: OwnerRow, by: str) -> bool:
        """Insert the row that decides an epoch; return whether it was the first."""
        done = self._connection.execute(
            "INSERT INTO strangler.owner (takeover, epoch, owner, outcome, position, decided_by)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [self._lease.takeover, row.epoch, row.owner, row.outcome, row.position, by],
        )
        return done.rowcount == 1

    def enter(self, epoch: int) -> None:
        """Let only those of `epoch` apply from now on."""
        self._connection.execute(
            "UPDATE strangler.lease SET epoch = %s WHERE takeover = %s", [epoch, self._lease.takeover]
        )

    def start_ids_after(self, shape: Shape, number: int) -> None:
        """Let the sequence behind the key start above `number`, or where it is; without one, nothing."""
        sequence = _sequence(self._connection, shape)
        if sequence is not None and number > 0:
            self._connection.execute(
                "SELECT setval(%s::regclass, greatest(%s, pg_sequence_last_value(%s::regclass)))",
                [sequence, number, sequence],
            )

    def position(self) -> str:
        """Return the snapshot of now: whoever writes once this is committed is not seen by it."""
        found: str = _one(self._connection.execute("SELECT pg_current_snapshot()::text"))
        return found

    def loosen(self, shapes: Sequence[Shape]) -> None:
        """Drop the foreign keys between the tables, and remember them, until `tighten`."""
        quoted = [_quoted(shape.table) for shape in shapes]
        dropped = self._connection.execute(OWN_CONSTRAINTS, [quoted, quoted]).fetchall()
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

    def dissolve(self, shapes: Sequence[Shape]) -> None:
        """Stop the capture, drop the logs and forget everything the takeover remembers here but its lease."""
        wanted = {name for shape in shapes for name in capture_triggers(shape)}
        self._all(
            sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(name), sql.Identifier(table))
            for table, name in self._ours(shapes)
            if name in wanted
        )
        self._all(sql.SQL("DROP TABLE IF EXISTS {}").format(log_of(shape.table)) for shape in shapes)
        for table in ("owner", "note"):
            self._connection.execute(
                sql.SQL("DELETE FROM {} WHERE takeover = {}").format(
                    sql.Identifier("strangler", table), sql.Literal(self._lease.takeover)
                )
            )

    def _delete(self, shape: Shape, key: Sequence[str], write: Any, *, binary: bool) -> int:
        dirty = sql.Identifier(f"strangler_dirty_{shape.table}")
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in zip(key, shape.types(key), strict=True)
        )
        # It lives as long as the connection: made once, emptied by every commit.
        self._connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS").format(
                dirty, columns
            )
        )
        self._connection.execute(sql.SQL("DELETE FROM {}").format(dirty))
        keys = self._copy_in(dirty, key, write, binary=binary)
        same = sql.SQL(" AND ").join(
            sql.SQL("rows.{0} = dirty.{0}").format(sql.Identifier(name)) for name in key
        )
        self._connection.execute(
            sql.SQL("DELETE FROM {} AS rows USING {} AS dirty WHERE {}").format(
                sql.Identifier(shape.table), dirty, same
            )
        )
        return keys

    def _copy_in(self, table: sql.Identifier, columns: Sequence[str], write: Any, *, binary: bool) -> int:
        copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
            table, names(tuple(columns)), sql.SQL("BINARY" if binary else "TEXT")
        )
        with self._connection.cursor() as cursor:
            with cursor.copy(copy) as stream:
                write(stream)
            return cursor.rowcount

    def _ours(self, shapes: Sequence[Shape]) -> list[tuple[str, str]]:
        quoted = [_quoted(shape.table) for shape in shapes]
        return [(table, name) for table, name, _, _ in self._connection.execute(OUR_TRIGGERS, [quoted])]

    def _make_way(self, shapes: Sequence[Shape], wanted: set[str]) -> None:
        """Drop disabled triggers that are to be made anew, on servers that cannot replace them."""
        if self._connection.info.server_version >= CAN_REPLACE_TRIGGERS:
            return
        self._all(
            sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(name), sql.Identifier(table))
            for table, name in self._ours(shapes)
            if name in wanted
        )

    def _disable(self, shapes: Sequence[Shape], wanted: set[str]) -> None:
        """Disable triggers. Not dropped: DROP TRIGGER would wait for readers too, and keep others out."""
        self._all(
            sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(sql.Identifier(table), sql.Identifier(name))
            for table, name in self._ours(shapes)
            if name in wanted
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


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""') + '"'


def _one(cursor: Any) -> Any:
    row = cursor.fetchone()
    assert row is not None
    return row[0]


def _open_gate(connection: psycopg.Connection, lease: Lease) -> None:
    mine = connection.execute(
        "UPDATE strangler.lease SET applying = pg_current_xact_id()"
        " WHERE takeover = %s AND token = %s AND epoch = %s",
        [lease.takeover, lease.token, lease.epoch],
    )
    if mine.rowcount != 1:
        raise LeaseLost(lease.takeover)


def _after(since: str) -> sql.Composed:
    return sql.SQL("NOT pg_visible_in_snapshot(l.strangler_xid, {}::pg_snapshot)").format(sql.Literal(since))


def _logged(shape: Shape, since: str, upto: Key | None) -> sql.Composed:
    within = sql.SQL("").format()
    if upto is not None:
        within = sql.SQL(" AND {}").format(_compared(shape, "<=", upto))
    return sql.SQL("SELECT DISTINCT {} FROM {} l WHERE {} AND {} IS NOT NULL{}").format(
        names(shape.key), log_of(shape.table), _after(since), sql.Identifier(shape.key[0]), within
    )


def _between(shape: Shape, after: Key | None, upto: Key | None, *, by_bytes: bool = False) -> sql.Composed:
    parts = [
        _compared(shape, comparison, key, by_bytes=by_bytes)
        for comparison, key in ((">", after), ("<=", upto))
        if key is not None
    ]
    return sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(parts)) if parts else sql.SQL("").format()


def _compared(shape: Shape, comparison: str, key: Key, *, by_bytes: bool = False) -> sql.Composed:
    """Compare the key with one that was read as text."""
    values = sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(kind))
        for value, kind in zip(key, shape.types(shape.key), strict=True)
    )
    own = _by_bytes(shape) if by_bytes else names(shape.key)
    return sql.SQL("({}) {} ({})").format(own, sql.SQL(comparison), values)


def _by_bytes(shape: Shape) -> sql.Composed:
    """Return the key's columns in an order that every server has: each may sort text by another collation."""
    return sql.SQL(", ").join(_as_ordered(shape, name) for name in shape.key)


def _as_ordered(shape: Shape, name: str) -> sql.Composable:
    column = sql.Identifier(name)
    text = shape.columns[name].startswith(("text", "character"))
    return sql.SQL('{} COLLATE "C"').format(column) if text else column


def _sequence(connection: psycopg.Connection, shape: Shape) -> str | None:
    if len(shape.key) != 1:
        return None
    found: str | None = _one(
        connection.execute("SELECT pg_get_serial_sequence(%s, %s)", [_quoted(shape.table), shape.key[0]])
    )
    return found


def _note(connection: psycopg.Connection, takeover: str, note: Note) -> str | None:
    found = connection.execute(
        "SELECT body FROM strangler.note WHERE takeover = %s AND name = %s", [takeover, note]
    ).fetchone()
    return found[0] if found else None


def _keep(connection: psycopg.Connection, takeover: str, note: Note, text: str) -> None:
    connection.execute(
        "INSERT INTO strangler.note VALUES (%s, %s, %s)"
        " ON CONFLICT (takeover, name) DO UPDATE SET body = excluded.body",
        [takeover, note, text],
    )


def _write_rows(copy: psycopg.Copy, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        copy.write_row(row)


def _write_blocks(copy: psycopg.Copy, blocks: Iterable[bytes]) -> None:
    for block in blocks:
        copy.write(block)
