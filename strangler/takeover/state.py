"""What a takeover keeps in the databases: who owns, who may apply, how far it has come. Pure.

Each change of owner has an epoch, and each epoch one row, in the database of the owner-to-be: `committed`
or `aborted`, whichever was inserted first. Everything else follows from these rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec

from proxy.routes import Owner

Body = TypeVar("Body")

Key = tuple[int | float | str, ...]


class Outcome(StrEnum):
    """What became of an epoch."""

    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """The one row that decides an epoch. `position` is the new owner's log as the epoch begins."""

    epoch: int
    owner: Owner
    outcome: Outcome
    position: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may apply and decide: every transaction of a takeover checks it where it writes."""

    takeover: str
    epoch: int
    token: str


class TableState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one table has come: rows with keys up to `cursor` are copied, all of them when `done`."""

    cursor: Key | None = None
    done: bool = False
    rows: int = 0  # copied by the backfill
    dirty: str = ""  # why its rows can no longer be trusted to be the source's
    verified: bool = False  # found equal since it was last begun anew, and again whatever changed since
    compared: str = ""  # the position up to which every key that changed was compared; empty: no more
    checked: Key | None = None  # rows with keys up to here were found equal, by a verification not over yet
    begun: int = 0  # how often it was begun anew
    schema: str = ""  # a digest of the columns that are carried since then


def begun_anew(state: TableState, schema: str, dirty: str = "") -> TableState:
    """Return the state of a table of which nothing is copied any more; from now on with these columns."""
    return TableState(dirty=dirty, begun=state.begun + 1, schema=schema)


def unverified(state: TableState) -> TableState:
    """Return the state of a table that nobody has found equal any more."""
    return msgspec.structs.replace(state, verified=False, compared="", checked=None)


class Checkpoint(msgspec.Struct, frozen=True):
    """What the target holds: of every table the copied part, exactly as the source was at `position`."""

    position: str
    tables: Mapping[str, TableState]

    @property
    def complete(self) -> bool:
        """Whether the backfill is over."""
        return all(state.done for state in self.tables.values())

    @property
    def verified(self) -> bool:
        """Whether every table was found equal, and nothing since gives reason to doubt it."""
        return all(state.verified and not state.dirty for state in self.tables.values())

    @property
    def dirty(self) -> dict[str, str]:
        """The tables that cannot be trusted, each with the reason."""
        return {name: state.dirty for name, state in self.tables.items() if state.dirty}


class Pace(msgspec.Struct, frozen=True, omit_defaults=True):
    """How fast a follower may go: rows of the backfill a second, or not at all, and the limits of the load
    beyond which it rests (`max_…`) or stands still (`critical_active`). 0 is no bound.
    """

    paused: bool = False
    rows: float = 0
    max_lag: float = 0  # seconds that a standby of the monolith's database may be behind
    max_active: int = 0  # sessions of the monolith's database at work, the kit's own left out
    critical_active: int = 0
    max_wait: float = 0  # seconds in line for SQLite's write lock
    max_slower: float = 0  # times as long as at first that a row of the backfill may take

    @property
    def limited(self) -> bool:
        """Whether any load slows it."""
        return any((self.max_lag, self.max_active, self.critical_active, self.max_wait, self.max_slower))


class Note(StrEnum):
    """A thing the takeover remembers in a database, as one JSON text."""

    CHECKPOINT = "checkpoint"
    CONSTRAINTS = "constraints"
    PACE = "pace"
    SLOW = "slow"
    REFUSED = "refused"
    RETIRED = "retired"
    ARCHIVE = "archive"


def encode(body: object) -> str:
    """Return a note's text."""
    return msgspec.json.encode(body).decode()


def decode(text: str, kind: type[Body]) -> Body:
    """Return what a note's text says."""
    return msgspec.json.decode(text, type=kind)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns, by the rows of both databases. `epoch` is that of the last committed change."""

    owner: Owner
    epoch: int
    position: str
    highest: int  # of all epochs, the aborted ones too

    @property
    def next_epoch(self) -> int:
        """The epoch of the next attempt."""
        return self.highest + 1


def ownership(rows: Iterable[OwnerRow]) -> Ownership | None:
    """Return who owns by all rows of both databases, None before a takeover was started."""
    known = sorted(rows, key=lambda row: row.epoch)
    committed = [row for row in known if row.outcome is Outcome.COMMITTED]
    if not committed:
        return None
    last = committed[-1]
    return Ownership(last.owner, last.epoch, last.position, known[-1].epoch)
