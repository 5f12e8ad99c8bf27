"""PostgreSQL as a side of a takeover. Values never pass through Python where both sides are it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from strangler.takeover.engines import Blocked, Engine, LeaseLost
from strangler.takeover.postgres_queries import one
from strangler.takeover.postgres_schema import (
    COLUMNS,
    CONTROL,
    HOLDERS,
    KEYS,
    LOAD,
    RECORDS,
    REFERS_TO,
    SESSION,
    log_of,
)
from strangler.takeover.postgres_snapshot import PostgresSnapshot
from strangler.takeover.postgres_transaction import PostgresTransaction
from strangler.takeover.postgres_watch import Watch
from strangler.takeover.shape import Shape
from strangler.takeover.standard_sql import identifier
from strangler.takeover.state import Lease, Note, OwnerRow
from strangler.takeover.throttle import Load

WAIT_SECONDS = 20.0
JSON_TYPES = ("json", "jsonb")


class PostgresStore:
    """One PostgreSQL database."""

    engine = Engine.POSTGRESQL

    def __init__(self, url: str) -> None:
        """Connect. Raises psycopg.Error."""
        self._watch = Watch(url)
        self._reading = self._connect()
        try:
            self._writing = self._connect()
        except psycopg.Error:
            self._reading.close()
            raise
        self._claiming: psycopg.Connection | None = None
        self._is_prepared = False

    def strictly(self, seconds: float) -> AbstractContextManager[None]:
        """Take the server for gone, until the block ends, once it says nothing for so long."""
        return self._watch.strictly(seconds)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """Open a moment to read."""
        usual = self._reader
        idle = usual.info.transaction_status == TransactionStatus.IDLE
        connection = usual if idle else self._connect()
        try:
            yield PostgresSnapshot(connection)
        finally:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            if connection is not usual:
                connection.close()

    @contextmanager
    def transaction(
        self, lease: Lease, *, wait: float = WAIT_SECONDS, durable: bool = True, loose: bool = False
    ) -> Iterator[PostgresTransaction]:
        """Open a transaction that ends committed, or undone where anything was raised. Raises LeaseLost."""
        connection = self._writer
        try:
            _begin(connection, lease, self._watch.limits(wait), durable=durable)
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
        named = [identifier(table)]
        columns = self._reader.execute(COLUMNS, named).fetchall()
        if not columns:
            return None
        types = {name: kind for name, kind, *_ in columns}
        unique = [tuple(key) for (key,) in self._reader.execute(KEYS, named) if types.keys() >= set(key)]
        return Shape(
            table=table,
            columns=types,
            key=unique[0] if unique else (),
            refers_to=frozenset(name for (name,) in self._reader.execute(REFERS_TO, named)),
            uniques=tuple(unique[1:]),
            required=frozenset(name for name, _, required, *_ in columns if required),
            collations={name: collation for name, _, _, collation, *_ in columns if collation},
            folding=frozenset(name for name, *_, folding, _ in columns if folding),
            never_null=frozenset(name for name, *_, never in columns if never),
        )

    def prepare(self, takeover: str) -> None:
        """Make the takeover's own tables, and its lease at epoch 1. Safe to run again."""
        connection = self._writer
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('strangler'))")
            if not one(connection.execute("SELECT to_regclass('strangler.rehearsal') IS NOT NULL")):
                connection.execute(CONTROL)
            RECORDS.make_lease(connection, takeover)

    def prepared(self) -> bool:
        """Return whether the takeover's own tables are there."""
        if not self._is_prepared:  # once there, they stay
            found = self._reader.execute("SELECT to_regclass('strangler.note') IS NOT NULL")
            self._is_prepared = bool(one(found))
        return self._is_prepared

    def take_lease(self, takeover: str, token: str, holder: str, *, wait: float) -> Lease:
        """Take the lease from whoever has it; his next transaction here is refused. Raises Blocked."""
        connection = self._writer
        try:
            with connection.transaction():
                connection.execute(self._watch.limits(wait))
                return RECORDS.take_lease(connection, takeover, token, holder)
        except psycopg.errors.LockNotAvailable:
            raise Blocked(self._holders(["strangler.lease"], False)) from None

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
        """Give the room of deleted log entries to new ones."""
        for shape in shapes:
            # Never TRUNCATE: that would take a lock that writers wait for.
            self._writer.execute(sql.SQL("VACUUM (TRUNCATE false) {}").format(log_of(shape.table)))

    def load(self) -> Load:
        """Measure standbys and sessions; None for both where the role may not see those of others."""
        lag, active = self._reader.execute(LOAD).fetchone() or (None, None)
        return Load(lag=lag, active=active)

    def claim(self, name: str, who: str) -> str | None:
        """Claim a role as `who` until this store is closed. Return who has it instead, "" where unknown.

        The server gives a claim up with its connection, so it outlives no process and no broken network.
        """
        connection = self._claiming = self._claiming or self._connect()
        connection.execute("SELECT set_config('application_name', %s, false)", [f"strangler {who}"])
        if one(
            connection.execute("SELECT pg_try_advisory_lock(hashtext('strangler'), hashtext(%s))", [name])
        ):
            return None
        found = connection.execute(
            "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND objid = hashtext(%s)::oid LIMIT 1",
            [name],
        ).fetchone()
        return found[0] if found else ""

    def give_up(self, name: str) -> None:
        """Give up a role that was claimed."""
        if self._claiming is not None:
            self._claiming.execute("SELECT pg_advisory_unlock(hashtext('strangler'), hashtext(%s))", [name])

    def holds(self, lease: Lease) -> bool:
        """Return whether a lease is still good here."""
        return RECORDS.holds(self._reader, lease)

    def close(self) -> None:
        """Close every connection; claims end with it."""
        for connection in (self._reading, self._writing, self._claiming):
            if connection is not None:
                connection.close()

    @property
    def _reader(self) -> psycopg.Connection:
        if self._reading.closed:
            self._reading = self._connect()
        return self._reading

    @property
    def _writer(self) -> psycopg.Connection:
        if self._writing.closed:  # no transaction outlives its connection, and each checks the lease
            self._writing = self._connect()
        return self._writing

    def _connect(self) -> psycopg.Connection:
        connection = self._watch.connect()
        for kind in JSON_TYPES:  # as the text that PostgreSQL writes for it
            connection.adapters.register_loader(kind, TextLoader)
        try:
            connection.execute(SESSION + self._watch.servers_end)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _holders(self, tables: list[str], readers: bool) -> tuple[str, ...]:
        rows = self._reader.execute(HOLDERS, [tables, readers])
        return tuple(f"pid {pid}, {state}, for {age}: {query}" for pid, age, state, query in rows)


def _begin(connection: psycopg.Connection, lease: Lease, limits: str, *, durable: bool) -> None:
    """Begin as the lease's holder, whom the fence lets through, in one round trip."""
    begun = connection.execute(
        sql.SQL(
            "BEGIN; {} SET CONSTRAINTS ALL DEFERRED;"
            " SET LOCAL synchronous_commit = {}; UPDATE strangler.lease SET applying = pg_current_xact_id()"
            " WHERE takeover = {} AND token = {} AND epoch = {}"
        ).format(sql.SQL(limits), "on" if durable else "off", lease.takeover, lease.token, lease.epoch)
    )
    if begun.set_result(-1).rowcount != 1:
        raise LeaseLost(lease.takeover)
