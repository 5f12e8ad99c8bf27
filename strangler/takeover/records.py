"""Read and write what a takeover remembers in a database: its lease, the rows that decide, its notes.

It is the same on every engine: one says where its tables are and how it marks a parameter. Nothing here
commits.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from proxy.routes import Owner
from strangler.takeover.state import Lease, Note, Outcome, OwnerRow


class Connection(Protocol):
    """What a driver's connection does."""

    def execute(self, query: Any, parameters: Any, /) -> Any:
        """Run a statement; return its cursor."""


@dataclass(frozen=True, slots=True)
class Records:
    """A takeover's own tables in one kind of database. `prefix` stands before their names."""

    prefix: str
    place: str

    def make_lease(self, connection: Connection, takeover: str) -> None:
        """Make a takeover's lease at epoch 1, nobody's, where there is none."""
        self._ask(
            connection,
            "INSERT INTO {}lease (takeover, epoch, token, holder) VALUES (?, 1, '', 'nobody')"
            " ON CONFLICT DO NOTHING",
            takeover,
        )

    def take_lease(self, connection: Connection, takeover: str, token: str, holder: str) -> Lease:
        """Take the lease from whoever has it."""
        query = "UPDATE {}lease SET token = ?, holder = ? WHERE takeover = ? RETURNING epoch"
        rows = self._ask(connection, query, token, holder, takeover).fetchall()
        return Lease(takeover, rows[0][0], token)

    def holds(self, connection: Connection, lease: Lease) -> bool:
        """Return whether a lease is still good."""
        query = "SELECT count(*) FROM {}lease WHERE takeover = ? AND token = ? AND epoch = ?"
        found = self._ask(connection, query, lease.takeover, lease.token, lease.epoch)
        return bool(found.fetchone()[0])

    def enter(self, connection: Connection, takeover: str, epoch: int) -> None:
        """Let only those of `epoch` apply from now on."""
        self._ask(connection, "UPDATE {}lease SET epoch = ? WHERE takeover = ?", epoch, takeover)

    def lease_of(self, connection: Connection, takeover: str) -> tuple[int, str] | None:
        """Return the lease's epoch and its holder, None where there is no lease."""
        found: tuple[int, str] | None = self._ask(
            connection, "SELECT epoch, holder FROM {}lease WHERE takeover = ?", takeover
        ).fetchone()
        return found

    def owners(self, connection: Connection, takeover: str) -> list[OwnerRow]:
        """Return the rows that decide epochs here."""
        query = "SELECT epoch, owner, outcome, position FROM {}owner WHERE takeover = ?"
        rows = self._ask(connection, query, takeover)
        return [OwnerRow(epoch, Owner(owner), Outcome(out), at) for epoch, owner, out, at in rows]

    def decide(self, connection: Connection, takeover: str, row: OwnerRow, by: str) -> bool:
        """Insert the row that decides an epoch; return whether it was the first."""
        done = self._ask(
            connection,
            "INSERT INTO {}owner (takeover, epoch, owner, outcome, position, decided_by)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            takeover,
            row.epoch,
            row.owner,
            row.outcome,
            row.position,
            by,
        )
        return bool(done.rowcount == 1)

    def note(self, connection: Connection, takeover: str, note: Note) -> str | None:
        """Return a note's text."""
        query = "SELECT body FROM {}note WHERE takeover = ? AND name = ?"
        found = self._ask(connection, query, takeover, note).fetchone()
        return found[0] if found else None

    def keep(self, connection: Connection, takeover: str, note: Note, text: str) -> None:
        """Write a note, in place of the one before."""
        query = (
            "INSERT INTO {}note (takeover, name, body) VALUES (?, ?, ?)"
            " ON CONFLICT (takeover, name) DO UPDATE SET body = excluded.body"
        )
        self._ask(connection, query, takeover, note, text)

    def forget(self, connection: Connection, takeover: str, note: Note) -> None:
        """Remove a note."""
        self._ask(connection, "DELETE FROM {}note WHERE takeover = ? AND name = ?", takeover, note)

    def forget_all(self, connection: Connection, takeover: str) -> None:
        """Remove everything of a takeover but its lease."""
        self._ask(connection, "DELETE FROM {}owner WHERE takeover = ?", takeover)
        self._ask(connection, "DELETE FROM {}note WHERE takeover = ?", takeover)

    def _ask(self, connection: Connection, query: str, *parameters: Any) -> Any:
        return connection.execute(query.format(self.prefix).replace("?", self.place), parameters)


class LeasedRecords:
    """What a takeover remembers in one database, in one transaction of the lease's holder."""

    def __init__(self, records: Records, connection: Any, lease: Lease) -> None:
        self._records = records
        self._connection = connection
        self._lease = lease

    def checkpoint(self) -> str | None:
        """Return the text of the checkpoint note, None where there is none."""
        return self.note(Note.CHECKPOINT)

    def note(self, note: Note) -> str | None:
        """Return a note's text."""
        return self._records.note(self._connection, self._lease.takeover, note)

    def keep(self, note: Note, text: str) -> None:
        """Write a note, in place of the one before."""
        self._records.keep(self._connection, self._lease.takeover, note, text)

    def forget(self, note: Note) -> None:
        """Remove a note."""
        self._records.forget(self._connection, self._lease.takeover, note)

    def decide(self, row: OwnerRow, by: str) -> bool:
        """Insert the row that decides an epoch; return whether it was the first."""
        return self._records.decide(self._connection, self._lease.takeover, row, by)

    def enter(self, epoch: int) -> None:
        """Let only those of `epoch` apply from now on."""
        self._records.enter(self._connection, self._lease.takeover, epoch)
