"""SQLite as a side of a takeover: one file. Text must be UTF-8; everything else is carried as stored.

There is one writer at a time, so a log's numbers are in the order of commits, and a number is a position.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from proxy.routes import Owner
from strangler.takeover.engines import Blocked, Changes, Engine, LeaseLost, Reference, Trigger
from strangler.takeover.shape import Shape
from strangler.takeover.sqlite_schema import (
    CONTROL,
    OURS,
    capture_triggers,
    drop_triggers,
    fence_triggers,
    identifier,
    listed,
    literal,
    log_of,
    log_table,
)
from strangler.takeover.state import Key, Lease, Note, Outcome, OwnerRow, decode, encode

WAIT_SECONDS = 20.0
GENERATED = {2, 3}  # PRAGMA table_xinfo: virtual and stored generated columns, computed and never copied


class SqliteStore:
    """One SQLite file."""

    engine = Engine.SQLITE

    def __init__(self, file: str) -> None:
        """Open a file that exists. Raises sqlite3.Error."""
        self._file = Path(file).absolute()
        self._reader = _connect(self._file)
        self._writer = _connect(self._file)
        self._claims: dict[str, IO[str]] = {}

    @contextmanager
    def snapshot(self) -> Iterator["SqliteSnapshot"]:
        """Open a moment to read."""
        connection = self._reader if not self._reader.in_transaction else _connect(self._file)
        connection.execute("BEGIN")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on one moment
            yield SqliteSnapshot(connection)
        finally:
            connection.rollback()
            if connection is not self._reader:
                connection.close()

    @contextmanager
    def transaction(
        self, lease: Lease, *, wait: float = WAIT_SECONDS, durable: bool = True, loose: bool = False
    ) -> Iterator["SqliteTransaction"]:
        """Open a transaction that ends committed, or undone where anything was raised. Raises LeaseLost."""
        connection = self._writer
        connection.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if loose else 'ON'}")
        _begin(connection)
        try:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            _open_gate(connection, lease)
            transaction = SqliteTransaction(connection, lease)
            yield transaction
            connection.execute("UPDATE strangler_lease SET applying = 0 WHERE takeover = ?", [lease.takeover])
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.rollback()

    def shape(self, table: str) -> Shape | None:
        """Return the shape of a table, None where there is none."""
        columns = self._reader.execute("SELECT * FROM pragma_table_xinfo(?)", [table]).fetchall()
        if not columns:
            return None
        keyed = sorted((place, name) for _, name, _, _, _, place, _ in columns if place)
        refers = self._reader.execute('SELECT "table" FROM pragma_foreign_key_list(?)', [table])
        return Shape(
            table=table,
            columns={column[1]: column[2] for column in columns if column[6] not in GENERATED},
            key=tuple(name for _, name in keyed),
            refers_to=frozenset(name for (name,) in refers),
        )

    def prepare(self, takeover: str) -> None:
        """Make the takeover's own tables, and its lease at epoch 1. Safe to run again."""
        _begin(self._writer)
        try:
            for statement in filter(str.strip, CONTROL.split(";")):
                self._writer.execute(statement)
            self._writer.execute(
                "INSERT OR IGNORE INTO strangler_lease VALUES (?, 1, '', 'nobody', 0)", [takeover]
            )
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.rollback()

    def prepared(self) -> bool:
        """Return whether the takeover's own tables are there."""
        found = "SELECT count(*) FROM sqlite_master WHERE name = 'strangler_note'"
        return bool(self._reader.execute(found).fetchone()[0])

    def take_lease(self, takeover: str, token: str, holder: str) -> Lease:
        """Take the lease from whoever has it; his next transaction here is refused."""
        row = self._writer.execute(
            "UPDATE strangler_lease SET token = ?, holder = ? WHERE takeover = ? RETURNING epoch",
            [token, holder, takeover],
        ).fetchall()
        return Lease(takeover, row[0][0], token)

    def lease_of(self, takeover: str) -> tuple[int, str] | None:
        """Return the lease's epoch and its holder, None where there is no lease."""
        if not self.prepared():
            return None
        found: tuple[int, str] | None = self._reader.execute(
            "SELECT epoch, holder FROM strangler_lease WHERE takeover = ?", [takeover]
        ).fetchone()
        return found

    def owners(self, takeover: str) -> list[OwnerRow]:
        """Return the rows that decide epochs here."""
        if not self.prepared():
            return []
        rows = self._reader.execute(
            "SELECT epoch, owner, outcome, position FROM strangler_owner WHERE takeover = ?", [takeover]
        )
        return [OwnerRow(epoch, Owner(owner), Outcome(out), place) for epoch, owner, out, place in rows]

    def read_note(self, takeover: str, note: Note) -> str | None:
        """Return a note's text."""
        return _note(self._reader, takeover, note) if self.prepared() else None

    def write_note(self, takeover: str, note: Note, text: str) -> None:
        """Write a note that needs no lease: one that nothing depends on being right."""
        _keep(self._writer, takeover, note, text)

    def tidy_logs(self, shapes: Sequence[Shape]) -> None:
        """Do nothing: SQLite uses free pages again by itself."""

    def claim(self, name: str) -> str | None:
        """Claim a role until this store is closed; return who has it where another process does."""
        if name in self._claims:
            return None
        handle = Path(f"{self._file}.{name}.lock").open("a+", encoding="utf-8")  # noqa: SIM115 - held until close
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read()
            handle.close()
            return holder or "another process"
        handle.truncate(0)
        handle.write(f"pid {os.getpid()}")
        handle.flush()
        self._claims[name] = handle
        return None

    def give_up(self, name: str) -> None:
        """Give up a role that was claimed."""
        self._claims.pop(name).close()

    def holds(self, lease: Lease) -> bool:
        """Return whether a lease is still good here."""
        found = self._reader.execute(
            "SELECT count(*) FROM strangler_lease WHERE takeover = ? AND token = ? AND epoch = ?",
            [lease.takeover, lease.token, lease.epoch],
        )
        return bool(found.fetchone()[0])

    def close(self) -> None:
        """Close every connection; claims end with it."""
        for handle in self._claims.values():
            handle.close()
        for connection in (self._reader, self._writer):
            with suppress(sqlite3.Error):
                connection.rollback()
            connection.close()


@dataclass(frozen=True, slots=True)
class SqliteStream:
    """The rows of one query."""

    connection: sqlite3.Connection
    query: str
    parameters: tuple[Any, ...]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows, one in memory at a time."""
        yield from self.connection.execute(self.query, self.parameters)


class SqliteSnapshot:
    """A SQLite file at one moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def position(self) -> str:
        """Return the last number of every log, as JSON."""
        return _position(self._connection)

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
        return SqliteStream(self._connection, *_logged(shape, since, upto))

    def dirty_rows(self, shape: Shape, columns: Sequence[str], since: str, upto: Key | None) -> SqliteStream:
        """Return the rows that have those keys now."""
        logged, parameters = _logged(shape, since, upto)
        query = (
            f"SELECT {listed(columns)} FROM {identifier(shape.table)}"
            f" WHERE ({listed(shape.key)}) IN ({logged})"
        )
        return SqliteStream(self._connection, query, parameters)

    def bound(self, shape: Shape, after: Key | None, rows: int) -> Key | None:
        """Return the key `rows` rows after `after`, None where there are fewer."""
        where, parameters = _between(shape, after, None)
        found: Key | None = self._connection.execute(
            f"SELECT {listed(shape.key)} FROM {identifier(shape.table)}{where}"
            f" ORDER BY {listed(shape.key)} LIMIT 1 OFFSET {rows - 1}",
            parameters,
        ).fetchone()
        return found

    def chunk(
        self, shape: Shape, columns: Sequence[str], after: Key | None, upto: Key | None, *, ordered: bool
    ) -> SqliteStream:
        """Return the rows with keys after `after` up to `upto`."""
        where, parameters = _between(shape, after, upto)
        order = f" ORDER BY {listed(shape.key)}" if ordered else ""
        query = f"SELECT {listed(columns)} FROM {identifier(shape.table)}{where}{order}"
        return SqliteStream(self._connection, query, parameters)

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""
        return self._number(f"SELECT count(*) FROM {identifier(shape.table)}")

    def highest_id(self, shape: Shape) -> int:
        """Return the highest id ever given out for a table: by AUTOINCREMENT's count, or by the rows."""
        if len(shape.key) != 1 or "INT" not in shape.columns[shape.key[0]].upper():
            return 0
        highest = self._number(f"SELECT max({identifier(shape.key[0])}) FROM {identifier(shape.table)}")
        return max(highest, _counted(self._connection, shape) or 0)

    def missing_capture(self, shapes: Sequence[Shape], takeover: str) -> Mapping[str, str]:
        """Return the tables whose capture is not whole, each with what is missing."""
        there = self._triggers()
        missing = {}
        for shape in shapes:
            gone = [name for name, text in capture_triggers(shape) if there.get(name) != text]
            if gone:
                missing[shape.table] = f"trigger {', '.join(gone)} is not as it was made"
        return missing

    def fence_epoch(self, shapes: Sequence[Shape]) -> int | None:
        """Return the epoch that fences every one of the tables, None where a table is open."""
        there = self._triggers()
        epochs = set()
        for shape in shapes:
            for event in ("insert", "update", "delete"):
                text = there.get(f"strangler_fence_{event}_{shape.table}", "")
                epochs.add(_epoch_said(text))
        return max(epochs) if epochs and None not in epochs else None  # type: ignore[type-var]

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


class SqliteTransaction:
    """The one write transaction of a SQLite file."""

    def __init__(self, connection: sqlite3.Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease

    def checkpoint(self) -> str | None:
        """Return the text of the checkpoint note, None where there is none."""
        return self.note(Note.CHECKPOINT)

    def keep(self, note: Note, text: str) -> None:
        """Write a note, in place of the one before."""
        _keep(self._connection, self._lease.takeover, note, text)

    def forget(self, note: Note) -> None:
        """Remove a note."""
        self._connection.execute(
            "DELETE FROM strangler_note WHERE takeover = ? AND name = ?", [self._lease.takeover, note]
        )

    def note(self, note: Note) -> str | None:
        """Return a note's text."""
        return _note(self._connection, self._lease.takeover, note)

    def lock_out_writers(self, shapes: Sequence[Shape]) -> None:
        """Do nothing: the write lock of the file is held since the beginning."""

    def empty(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""
        return self._connection.execute(f"DELETE FROM {identifier(shape.table)}").rowcount

    def delete(self, shape: Shape, key: Sequence[str], keys: Iterator[tuple[Any, ...]]) -> int:
        """Delete the rows with these keys; return how many keys there were."""
        where = " AND ".join(f"{identifier(name)} IS ?" for name in key)
        counted = _Counting(keys)
        self._connection.executemany(f"DELETE FROM {identifier(shape.table)} WHERE {where}", counted)
        return counted.rows

    def insert(self, shape: Shape, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
        """Insert rows as they come; return how many. A row that is already there is an error."""
        places = ", ".join("?" * len(columns))
        counted = _Counting(rows)
        self._connection.executemany(
            f"INSERT INTO {identifier(shape.table)} ({listed(columns)}) VALUES ({places})", counted
        )
        return counted.rows

    def start_capture(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Log the key of every row that is written from now on."""
        self.stop_capture(shapes)
        for shape in shapes:
            self._connection.execute(log_table(shape))
            for _, text in capture_triggers(shape):
                self._connection.execute(text)

    def stop_capture(self, shapes: Sequence[Shape]) -> None:
        """Log nothing more. The logs stay."""
        self._drop("capture", shapes)

    def fence(self, shapes: Sequence[Shape], takeover: str, epoch: int) -> None:
        """Refuse every write to the tables but the lease holder's."""
        self.lift_fence(shapes)
        for shape in shapes:
            for _, text in fence_triggers(shape, takeover, epoch):
                self._connection.execute(text)

    def lift_fence(self, shapes: Sequence[Shape]) -> None:
        """Refuse no longer."""
        self._drop("fence", shapes)

    def decide(self, row: OwnerRow, by: str) -> bool:
        """Insert the row that decides an epoch; return whether it was the first."""
        done = self._connection.execute(
            "INSERT INTO strangler_owner (takeover, epoch, owner, outcome, position, decided_by)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [self._lease.takeover, row.epoch, row.owner, row.outcome, row.position, by],
        )
        return done.rowcount == 1

    def enter(self, epoch: int) -> None:
        """Let only those of `epoch` apply from now on."""
        self._connection.execute(
            "UPDATE strangler_lease SET epoch = ? WHERE takeover = ?", [epoch, self._lease.takeover]
        )

    def start_ids_after(self, shape: Shape, number: int) -> None:
        """Let AUTOINCREMENT start above `number`; a table without it takes the highest key plus one."""
        counted = _counted(self._connection, shape)
        if counted is None or counted >= number:
            return
        self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", [shape.table])
        self._connection.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [shape.table, number]
        )

    def position(self) -> str:
        """Return what the logs have seen when this transaction is committed, as `Snapshot.position`."""
        return _position(self._connection)

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

    def dissolve(self, shapes: Sequence[Shape]) -> None:
        """Stop the capture, drop the logs and forget everything the takeover remembers here but its lease."""
        self.stop_capture(shapes)
        for shape in shapes:
            self._connection.execute(f"DROP TABLE IF EXISTS {identifier(log_of(shape.table))}")
        for table in ("strangler_owner", "strangler_note"):
            self._connection.execute(f"DELETE FROM {table} WHERE takeover = ?", [self._lease.takeover])

    def _drop(self, kind: str, shapes: Sequence[Shape]) -> None:
        for shape in shapes:
            for statement in drop_triggers(kind, shape.table):
                self._connection.execute(statement)


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


def _connect(file: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(file))}?mode=rw"  # never make a new, empty one
    connection = sqlite3.connect(
        uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _begin(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as fault:
        if "locked" not in str(fault):
            raise
        raise Blocked(("a writer of this file, which SQLite cannot name",)) from None


def _open_gate(connection: sqlite3.Connection, lease: Lease) -> None:
    mine = connection.execute(
        "UPDATE strangler_lease SET applying = 1 WHERE takeover = ? AND token = ? AND epoch = ?",
        [lease.takeover, lease.token, lease.epoch],
    )
    if mine.rowcount != 1:
        raise LeaseLost(lease.takeover)


def _logged(shape: Shape, since: str, upto: Key | None) -> tuple[str, tuple[Any, ...]]:
    """Return query and parameters for the keys logged after a position."""
    seen = decode(since, dict[str, int]).get(shape.table, 0)
    within, parameters = "", [seen, *(upto or ())]
    if upto is not None:
        within = f" AND ({listed(shape.key)}) <= ({', '.join('?' * len(upto))})"
    query = (
        f"SELECT DISTINCT {listed(shape.key)} FROM {identifier(log_of(shape.table))} WHERE seq > ?{within}"
    )
    return query, tuple(parameters)


def _between(shape: Shape, after: Key | None, upto: Key | None) -> tuple[str, tuple[Any, ...]]:
    """Return the WHERE and its parameters for keys after `after`, up to `upto`."""
    parts: list[str] = []
    parameters: list[Any] = []
    for comparison, key in ((">", after), ("<=", upto)):
        if key is not None:
            parts.append(f"({listed(shape.key)}) {comparison} ({', '.join('?' * len(key))})")
            parameters += key
    return (" WHERE " + " AND ".join(parts) if parts else ""), tuple(parameters)


def _position(connection: sqlite3.Connection) -> str:
    if not _has(connection, "sqlite_sequence"):
        return "{}"
    prefix = log_of("")
    rows = connection.execute(
        f"SELECT name, seq FROM sqlite_sequence WHERE substr(name, 1, {len(prefix)}) = {literal(prefix)}"
    )
    return encode({name.removeprefix(prefix): seq for name, seq in rows})


def _counted(connection: sqlite3.Connection, shape: Shape) -> int | None:
    """Return AUTOINCREMENT's count, None for a table without one."""
    autoincrement = "SELECT count(*) FROM sqlite_master WHERE name = ? AND upper(sql) LIKE '%AUTOINCREMENT%'"
    if not connection.execute(autoincrement, [shape.table]).fetchone()[0]:
        return None
    found = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", [shape.table])
    return found.fetchone()[0] or 0


def _has(connection: sqlite3.Connection, name: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [name]).fetchone())


def _note(connection: sqlite3.Connection, takeover: str, note: Note) -> str | None:
    found = connection.execute(
        "SELECT body FROM strangler_note WHERE takeover = ? AND name = ?", [takeover, note]
    ).fetchone()
    return found[0] if found else None


def _keep(connection: sqlite3.Connection, takeover: str, note: Note, text: str) -> None:
    connection.execute(
        "INSERT INTO strangler_note VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        [takeover, note, text],
    )


def _epoch_said(text: str) -> int | None:
    _, found, rest = text.partition(", epoch ")
    return int(rest.split(")")[0]) if found else None
