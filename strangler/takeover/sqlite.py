"""SQLite as a side of a takeover: one file. Text must be UTF-8; everything else is carried as stored."""

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from time import perf_counter
from typing import IO
from urllib.parse import quote

from strangler.takeover.engines import Blocked, Engine, LeaseLost
from strangler.takeover.shape import Shape
from strangler.takeover.sqlite_queries import GENERATED, stored_columns
from strangler.takeover.sqlite_schema import CONTROL, RECORDS
from strangler.takeover.sqlite_snapshot import SqliteSnapshot
from strangler.takeover.sqlite_transaction import SqliteTransaction
from strangler.takeover.state import Lease, Note, OwnerRow
from strangler.takeover.throttle import Load

WAIT_SECONDS = 20.0
MOST_NAMED = 20
BROKEN_REFERENCES = (
    'SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ?'
)

UNIQUE = """
    SELECT i.name, c.name FROM pragma_index_list(?) AS i, pragma_index_info(i.name) AS c
    WHERE i."unique" AND NOT i.partial ORDER BY i.name, c.seqno
"""
COLLATIONS = """
    SELECT c.name, c.coll FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS c
    WHERE i."unique" AND c.key AND c.coll <> 'BINARY' AND c.name IS NOT NULL
"""


class SqliteStore:
    """One SQLite file."""

    engine = Engine.SQLITE

    def __init__(self, file: str) -> None:
        """Open a file that exists. Raises sqlite3.Error."""
        self._file = Path(file).absolute()
        self._reader = _connect(self._file)
        self._writer = _connect(self._file)
        self._claims: dict[str, IO[str]] = {}
        self._waited = 0.0

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
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
    ) -> Iterator[SqliteTransaction]:
        """Open a transaction that ends committed, or undone where anything was raised. Raises LeaseLost."""
        connection = self._writer
        connection.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if loose else 'ON'}")
        began = perf_counter()
        try:
            _begin(connection)
        finally:
            self._waited = perf_counter() - began
        try:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            _open_gate(connection, lease)
            transaction = SqliteTransaction(connection, lease)
            yield transaction
            connection.execute("UPDATE strangler_lease SET applying = 0 WHERE takeover = ?", [lease.takeover])
            _commit(connection)
        finally:
            if connection.in_transaction:
                connection.rollback()

    def strictly(self, seconds: float) -> AbstractContextManager[None]:
        """Do nothing: there is no server."""
        return nullcontext()

    def shape(self, table: str) -> Shape | None:
        """Return the shape of a table, None where there is none."""
        columns = self._reader.execute("SELECT * FROM pragma_table_xinfo(?)", [table]).fetchall()
        if not columns:
            return None
        keyed = sorted((place, name) for _, name, _, _, _, place, _ in columns if place)
        primary = tuple(name for _, name in keyed)
        never_null = {column[1] for column in columns if column[3] and column[6] not in GENERATED}
        unique = [key for key in self._unique(table) if never_null >= set(key) and key != primary]
        refers = self._reader.execute('SELECT "table" FROM pragma_foreign_key_list(?)', [table])
        return Shape(
            table=table,
            columns=stored_columns(self._reader, table),
            key=primary or next(iter(unique), ()),
            refers_to=frozenset(name for (name,) in refers),
            uniques=tuple(unique if primary else unique[1:]),
            never_null=frozenset(never_null),
            required=frozenset(column[1] for column in columns if column[3] and column[4] is None),
            collations=dict(self._reader.execute(COLLATIONS, [table]).fetchall()),
        )

    def _unique(self, table: str) -> list[tuple[str, ...]]:
        """Return what is unique, the shortest first; not where an expression is part of it."""
        found: dict[str, list[str | None]] = {}
        for index, column in self._reader.execute(UNIQUE, [table]):
            found.setdefault(index, []).append(column)
        whole = [tuple(map(str, columns)) for columns in found.values() if None not in columns]
        return sorted(whole, key=lambda columns: (len(columns), columns))

    def prepare(self, takeover: str) -> None:
        """Make the takeover's own tables, and its lease at epoch 1. Safe to run again."""
        _begin(self._writer)
        try:
            for statement in CONTROL:
                self._writer.execute(statement)
            RECORDS.make_lease(self._writer, takeover)
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.rollback()

    def prepared(self) -> bool:
        """Return whether the takeover's own tables are there."""
        found = "SELECT count(*) FROM sqlite_master WHERE name = 'strangler_note'"
        return bool(self._reader.execute(found).fetchone()[0])

    def take_lease(self, takeover: str, token: str, holder: str, *, wait: float) -> Lease:
        """Take the lease from whoever has it; his next transaction here is refused. Raises Blocked."""
        self._writer.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        _begin(self._writer)
        try:
            lease = RECORDS.take_lease(self._writer, takeover, token, holder)
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.rollback()
        return lease

    def lease_of(self, takeover: str) -> tuple[int, str] | None:
        """Return the lease's epoch and its holder, None where there is no lease."""
        return RECORDS.lease_of(self._reader, takeover) if self.prepared() else None

    def owners(self, takeover: str) -> list[OwnerRow]:
        """Return the rows that decide epochs here."""
        return RECORDS.owners(self._reader, takeover) if self.prepared() else []

    def read_note(self, takeover: str, note: Note) -> str | None:
        """Return a note's text."""
        return RECORDS.note(self._reader, takeover, note) if self.prepared() else None

    def write_note(self, takeover: str, note: Note, text: str) -> None:
        """Write a note that needs no lease: one that nothing depends on being right."""
        RECORDS.keep(self._writer, takeover, note, text)

    def tidy_logs(self, shapes: Sequence[Shape]) -> None:
        """Do nothing: SQLite uses free pages again by itself."""

    def load(self) -> Load:
        """Measure how long the last transaction stood in line; SQLite cannot tell who else is at work."""
        return Load(waited=self._waited)

    def claim(self, name: str, who: str) -> str | None:
        """Claim a role as `who` until this store is closed. Return who has it instead, "" where unknown."""
        if name in self._claims:
            return None
        handle = Path(f"{self._file}.{name}.lock").open("a+", encoding="utf-8")  # noqa: SIM115 - held until close
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read()
            handle.close()
            return holder
        handle.truncate(0)
        handle.write(who)
        handle.flush()
        self._claims[name] = handle
        return None

    def give_up(self, name: str) -> None:
        """Give up a role that was claimed."""
        self._claims.pop(name).close()

    def holds(self, lease: Lease) -> bool:
        """Return whether a lease is still good here."""
        return RECORDS.holds(self._reader, lease)

    def close(self) -> None:
        """Close every connection; claims end with it."""
        for handle in self._claims.values():
            handle.close()
        for connection in (self._reader, self._writer):
            with suppress(sqlite3.Error):
                connection.rollback()
            connection.close()


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


def _commit(connection: sqlite3.Connection) -> None:
    """Commit; where a foreign key stands in the way, say which, as SQLite does not."""
    try:
        connection.execute("COMMIT")
    except sqlite3.IntegrityError as fault:
        broken = connection.execute(BROKEN_REFERENCES, [MOST_NAMED]).fetchall()
        named = "; ".join(
            f"{count} row(s) of {table} refer to rows of {to} that go" for table, to, count in broken
        )
        raise sqlite3.IntegrityError(f"{fault}: {named}" if named else str(fault)) from None


def _open_gate(connection: sqlite3.Connection, lease: Lease) -> None:
    mine = connection.execute(
        "UPDATE strangler_lease SET applying = 1 WHERE takeover = ? AND token = ? AND epoch = ?",
        [lease.takeover, lease.token, lease.epoch],
    )
    if mine.rowcount != 1:
        raise LeaseLost(lease.takeover)
