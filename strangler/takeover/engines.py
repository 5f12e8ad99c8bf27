"""What a takeover asks of a database, whatever its engine. Schemas are read from the database itself.

A `Store` is one database. It is read through a `Snapshot`, one moment that never changes, and written through
a `Transaction`, which checks the lease first and is undone whole by whatever goes wrong, death included.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from strangler.takeover.seen import Seen
from strangler.takeover.shape import Column, Shape
from strangler.takeover.state import Key, Lease, Note, OwnerRow
from strangler.takeover.throttle import Load


class Engine(StrEnum):
    """A database engine the kit can read and write."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class LeaseLost(Exception):
    """Another process has taken the lease, or the epoch is over: nothing of the transaction was kept."""


class Blocked(Exception):
    """Somebody's open transaction kept a lock from being granted. `holders` says whose, as text."""

    def __init__(self, holders: tuple[str, ...]) -> None:
        super().__init__("; ".join(holders))
        self.holders = holders


class Forbidden(Exception):
    """The role that is connected lacks the right to what was asked; the text says which."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a log says of one table since a position: how many entries, and whether all rows went at once,
    its own or those of a part of it.
    """

    entries: int
    emptied: bool = False
    part_emptied: bool = False


UNCHANGED = Changes(0)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger on a table, by name, that the kit did not make."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key as a schema declares it."""

    table: str
    columns: tuple[str, ...]
    to: str
    on_delete: str  # NO ACTION, RESTRICT, CASCADE, SET NULL, SET DEFAULT
    on_update: str
    deferred: bool


class Stream(Protocol):
    """Rows of a snapshot, not read yet."""

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows, one in memory at a time."""


class Snapshot(Protocol):
    """One database at one moment. `position` says what of its logs that moment has seen."""

    @property
    def position(self) -> str:
        """Return what this moment has seen, as text; meant for `since` alone."""

    def changes(self, shapes: Sequence[Shape], since: str) -> Mapping[str, Changes]:
        """Return what was logged after `since`, for each table that has anything."""

    def dirty_keys(self, shape: Shape, since: str, upto: Key | None) -> Stream:
        """Return the keys logged after `since`, each once; up to `upto` where there is one."""

    def dirty_rows(self, shape: Shape, columns: Sequence[Column], since: str, upto: Key | None) -> Stream:
        """Return the rows that have those keys now."""

    def bound(self, shape: Shape, after: Key | None, rows: int) -> Key | None:
        """Return the key `rows` rows after `after`, None where there are fewer."""

    def chunk(
        self, shape: Shape, columns: Sequence[Column], after: Key | None, upto: Key | None, *, ordered: bool
    ) -> Stream:
        """Return the rows with keys after `after` up to `upto`."""

    def having(self, shape: Shape, columns: Sequence[Column], keys: Sequence[tuple[Any, ...]]) -> Stream:
        """Return the rows that have one of these keys."""

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""

    def highest_ids(self, shapes: Sequence[Shape]) -> Mapping[str, int]:
        """Return the highest id ever given out for each table that has any, rows since deleted included."""

    def missing_capture(self, shapes: Sequence[Shape], takeover: str) -> Mapping[str, str]:
        """Return the tables whose capture is not whole, each with what is missing."""

    def described(self, shapes: Sequence[Shape]) -> Mapping[str, str]:
        """Return the columns that the tables have at this moment, as `Shape.described`."""

    def fence_epoch(self, shapes: Sequence[Shape]) -> int | None:
        """Return the epoch that fences every one of the tables, None where a table is open."""

    def notes_writers(self, shapes: Sequence[Shape]) -> bool:
        """Return whether everybody who writes one of the tables is noted."""

    def writers_seen(self, takeover: str) -> Sequence[Seen]:
        """Return everybody who was noted, each once a table."""

    def triggers(self, table: str) -> Sequence[Trigger]:
        """Return a table's triggers that are not the kit's."""

    def references(self) -> Sequence[Reference]:
        """Return every foreign key of the database."""

    def sized(self, shape: Shape) -> int:
        """Return about how many bytes a row has; 0 where nothing is known."""


class Transaction(Protocol):
    """One transaction of whoever holds the lease; the fence lets it through."""

    def checkpoint(self) -> str | None:
        """Return the text of the checkpoint note, None where there is none."""

    def keep(self, note: Note, text: str) -> None:
        """Write a note, in place of the one before."""

    def forget(self, note: Note) -> None:
        """Remove a note."""

    def note(self, note: Note) -> str | None:
        """Return a note's text."""

    def lock_out_writers(self, shapes: Sequence[Shape]) -> None:
        """Wait until every writer of the tables has ended, and let no other begin. Raises Blocked."""

    def empty(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""

    def delete(
        self, shape: Shape, key: Sequence[str], keys: Iterator[tuple[Any, ...]], keep: Sequence[str] = ()
    ) -> int:
        """Delete the rows with these keys; return how many keys there were. `keep` is for `put_back`."""

    def put_back(self, shape: Shape, key: Sequence[str], keep: Sequence[str]) -> None:
        """Give rows that are there again the values of `keep` that they had when `delete` took them."""

    def insert(self, shape: Shape, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
        """Insert rows as they come; return how many. A row that is already there is an error."""

    def fill_gaps(self, shape: Shape) -> None:
        """Give every row of a table the rows that its parts lack."""

    def start_capture(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Log the key of every row that is written from now on."""

    def stop_capture(self, shapes: Sequence[Shape]) -> None:
        """Log nothing more, and note no writers. The logs stay."""

    def start_noting_writers(self, shapes: Sequence[Shape], takeover: str) -> None:
        """Note from now on who writes, and refuse nobody; forget who was noted before."""

    def stop_noting_writers(self, shapes: Sequence[Shape]) -> None:
        """Note nobody any more. Who was noted stays listed."""

    def fence(self, shapes: Sequence[Shape], takeover: str, epoch: int) -> None:
        """Refuse every write to the tables but the lease holder's."""

    def lift_fence(self, shapes: Sequence[Shape]) -> None:
        """Refuse no longer."""

    def decide(self, row: OwnerRow, by: str) -> bool:
        """Insert the row that decides an epoch; return whether it was the first."""

    def enter(self, epoch: int) -> None:
        """Let only those of `epoch` apply from now on."""

    def start_ids_after(self, numbers: Mapping[str, int]) -> None:
        """Let the ids the database gives out itself start above a table's number, or where they are.

        Tables without ids of their own, or with none given out (0), stay as they are.
        """

    def position(self) -> str:
        """Return what the logs have seen when this transaction is committed, as `Snapshot.position`."""

    def loosen(self, shapes: Sequence[Shape]) -> None:
        """Check no foreign key between the tables until `tighten`: their rows arrive in any order."""

    def tighten(self, shapes: Sequence[Shape]) -> None:
        """Check again what `loosen` let go; every row that is there included."""

    def forget_log(self, shapes: Sequence[Shape], position: str) -> None:
        """Delete the entries that `position` has seen."""

    def lock_out_everybody(self, shapes: Sequence[Shape]) -> None:
        """Wait until nobody reads or writes the tables any more. Raises Blocked, Forbidden."""

    def archive(self, shape: Shape, name: str) -> None:
        """Call a table `name` from now on, without the kit's triggers and log. Raises Forbidden."""

    def give_away(self, tables: Sequence[str]) -> tuple[str, ...]:
        """Make the kit's role the owner of tables, which their owners may go on reading. Raises Forbidden.

        Return those of the former owners who can undo it all the same. Without roles: nothing.
        """

    def drop(self, tables: Sequence[str]) -> None:
        """Drop tables with all their rows. Raises Forbidden."""

    def dissolve(self, shapes: Sequence[Shape]) -> None:
        """Stop the capture, drop the logs and forget everything the takeover remembers here but its lease."""


class Store(Protocol):
    """One database. Connections are opened when they are needed and stay open until `close`."""

    engine: Engine

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open a moment to read."""

    def transaction(
        self, lease: Lease, *, wait: float = ..., durable: bool = True, loose: bool = False
    ) -> AbstractContextManager[Transaction]:
        """Open a transaction that ends committed, or undone where anything was raised. Raises LeaseLost.

        `loose`: foreign keys are not checked here, where that is the connection's to say.
        `wait`: seconds it may stand in line for a lock. Not `durable`, it may be undone by a crash of the
        server until a durable one is committed after it there.
        """

    def strictly(self, seconds: float) -> AbstractContextManager[None]:
        """Take a server for gone, until the block ends, once it says nothing for so long."""

    def shape(self, table: str) -> Shape | None:
        """Return the shape of a table, None where there is none."""

    def prepare(self, takeover: str) -> None:
        """Make the takeover's own tables, and its lease at epoch 1. Safe to run again."""

    def prepared(self) -> bool:
        """Return whether the takeover's own tables are there."""

    def take_lease(self, takeover: str, token: str, holder: str, *, wait: float) -> Lease:
        """Take the lease from whoever has it; his next transaction here is refused.

        Raises Blocked where he is in the middle of one, and not out of it in `wait` seconds.
        """

    def lease_of(self, takeover: str) -> tuple[int, str] | None:
        """Return the lease's epoch and its holder, None where there is no lease."""

    def owners(self, takeover: str) -> list[OwnerRow]:
        """Return the rows that decide epochs here."""

    def read_note(self, takeover: str, note: Note) -> str | None:
        """Return a note's text."""

    def write_note(self, takeover: str, note: Note, text: str) -> None:
        """Write a note that needs no lease: one that nothing depends on being right."""

    def tidy_logs(self, shapes: Sequence[Shape]) -> None:
        """Give the room of deleted log entries to new ones."""

    def load(self) -> Load:
        """Measure how busy this database is; None for what it cannot tell."""

    def claim(self, name: str, who: str) -> str | None:
        """Claim a role as `who` until this store is closed. Return who has it instead, "" where unknown."""

    def give_up(self, name: str) -> None:
        """Give up a role that was claimed."""

    def holds(self, lease: Lease) -> bool:
        """Return whether a lease is still good here."""

    def close(self) -> None:
        """Close every connection; claims end with it."""
